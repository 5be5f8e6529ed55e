// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/npz.h"

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/zip_archive.h"

namespace fusebox {

absl::StatusOr<std::vector<NamedTensor>> ParseNpz(std::string_view bytes, const std::string& who,
                                                  std::vector<std::string>* left_out) {
  constexpr std::string_view kSuffix = ".npy";
  const absl::StatusOr<std::vector<ZipMember>> members = ReadZip(bytes, who);
  if (!members.ok()) return members.status();
  std::vector<NamedTensor> arrays;
  for (const ZipMember& member : *members) {
    if (member.name.ends_with('/') && member.bytes.empty()) continue;  // A folder.
    const std::string array_who = fmt::format("{}: array '{}'", who, member.name);
    std::string name = member.name;
    if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
    FUSEBOX_ASSIGN_OR_RETURN(const bool numbers, HasNpyNumbers(member.bytes, array_who));
    if (!numbers) {
      if (left_out != nullptr) left_out->push_back(std::move(name));
      continue;
    }
    absl::StatusOr<Tensor> array = ParseNpy(member.bytes, array_who);
    if (!array.ok()) return array.status();
    arrays.push_back({std::move(name), *std::move(array)});
  }
  return arrays;
}

absl::StatusOr<std::vector<NamedTensor>> ReadNpz(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadWholeFile(path);
  if (!bytes.ok()) return bytes.status();
  return ParseNpz(*bytes, fmt::format("'{}'", path));
}

std::vector<std::string> ArraysWithoutNumbers(const std::string& path) {
  std::vector<std::string> names;
  const absl::StatusOr<std::string> bytes = ReadWholeFile(path);
  if (bytes.ok()) ParseNpz(*bytes, path, &names).status().IgnoreError();
  return names;
}

absl::StatusOr<std::string> NpzBytes(const std::vector<NamedTensor>& arrays) {
  std::vector<ZipMember> members;
  for (const NamedTensor& array : arrays) members.push_back({array.name + ".npy", NpyBytes(array.value)});
  return ZipBytes(members);
}

absl::Status WriteNpz(const std::string& path, const std::vector<NamedTensor>& arrays) {
  const absl::StatusOr<std::string> bytes = NpzBytes(arrays);
  if (!bytes.ok()) return bytes.status();
  return WriteFileAtomically(path, *bytes);
}

}  // namespace fusebox
