// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/hdf5_reader.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/safetensors.h"
#include "fusebox/runtime/files/subprocess.h"

namespace fusebox {
namespace {

// <folder of the library that holds this code>/fusebox/fusebox-h5read, wherever the tree was moved to.
std::string HelperPath() {
  if (const char* path = std::getenv("FUSEBOX_H5READ"); path != nullptr && *path != '\0') return path;
  Dl_info info;
  if (::dladdr(reinterpret_cast<const void*>(&HelperPath), &info) == 0 || info.dli_fname == nullptr)
    return "fusebox-h5read";
  std::error_code error;
  const std::filesystem::path library = std::filesystem::canonical(info.dli_fname, error);
  return ((error ? std::filesystem::path(info.dli_fname) : library).parent_path() / "fusebox" / "fusebox-h5read")
      .string();
}

// What the helper makes of the file: safetensors.
absl::StatusOr<std::string> Read(std::string_view bytes, const std::string& who, std::vector<std::string> words) {
  constexpr uint64_t kSlack = uint64_t{256} << 20;  // More than the helper allows itself: it gives the better message.
  const ProcessLimits limits{.time = std::chrono::seconds(120),
                             .output_bytes = std::min<uint64_t>(bytes.size() * 8 + kSlack, kByteBudget)};
  words.insert(words.begin(), HelperPath());
  absl::StatusOr<ProcessResult> result = RunProcess(words, bytes, limits);
  if (!result.ok()) {
    return absl::Status(result.status().code(),
                        fmt::format("{}: cannot be read as HDF5: {}", who, Message(result.status())));
  }
  if (result->signal != 0) {
    return Refuse("{}: damaged HDF5 file: its reader ended with signal {} ({})", who, result->signal,
                  ::strsignal(result->signal));
  }
  if (result->exit_code != 0) {
    return Refuse("{}: {}", who, result->errors.substr(0, result->errors.find('\n')));
  }
  return std::move(result->output);
}

}  // namespace

absl::StatusOr<std::vector<NamedTensor>> ReadHdf5(std::string_view bytes, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string tensors, Read(bytes, who, {}));
  return ParseSafetensors(tensors, who);
}

absl::StatusOr<Hdf5Content> ReadHdf5WithTexts(std::string_view bytes, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string tensors, Read(bytes, who, {"--text"}));
  Hdf5Content content;
  FUSEBOX_ASSIGN_OR_RETURN(content.datasets, ParseSafetensors(tensors, who));
  FUSEBOX_ASSIGN_OR_RETURN(content.texts, SafetensorsMetadata(tensors, who));
  return content;
}

}  // namespace fusebox
