// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plots/picture.h"

#include <cstring>
#include <filesystem>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/subprocess.h"

namespace fusebox {
namespace {

constexpr uint64_t kMemory = uint64_t{4} << 30;  // Enough for a picture of the largest size that cairo draws.

// The last line, which has the error: before it gnuplot repeats the script and dot its warnings.
std::string LastLine(std::string_view text) {
  const size_t end = text.find_last_not_of(" \n\r\t") + 1;  // 0 if there is nothing else.
  const size_t begin = text.substr(0, end).rfind('\n') + 1;
  const std::string_view line = text.substr(begin, end - begin);
  return std::string(line.substr(std::min(line.find_first_not_of(' '), line.size())));
}

}  // namespace

absl::StatusOr<std::string> PictureFormat(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".png" || ending == ".svg") return ending.substr(1);
  return Refuse("'{}': a picture's name that ends in .png or .svg expected", path);
}

absl::Status DrawPicture(const std::vector<std::string>& argv, std::string_view script, std::string_view package,
                         const std::string& path) {
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(path));
  const absl::StatusOr<ProcessResult> result = RunProcess(argv, script, {.memory_bytes = kMemory});
  if (absl::IsNotFound(result.status())) {
    return absl::NotFoundError(
        fmt::format("'{}': cannot be drawn without {}: install the package {}", path, argv[0], package));
  }
  if (!result.ok())
    return absl::Status(result.status().code(), fmt::format("'{}': {}", path, Message(result.status())));
  if (result->signal != 0)
    return absl::InternalError(fmt::format("'{}': {} ended with signal {}", path, argv[0], result->signal));
  if (result->exit_code != 0 || result->output.empty()) {
    return absl::InternalError(
        fmt::format("'{}': {} failed with code {}: {}", path, argv[0], result->exit_code, LastLine(result->errors)));
  }
  return WriteFileAtomically(path, result->output);
}

}  // namespace fusebox
