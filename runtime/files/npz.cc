// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/npz.h"

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/zip_archive.h"

namespace fusebox {
namespace {

constexpr std::string_view kSuffix = ".npy";

// As np.load names it.
std::string ArrayName(const std::string& member) {
  return member.ends_with(kSuffix) ? member.substr(0, member.size() - kSuffix.size()) : member;
}

// Folders have no bytes; macOS's tools pack files of attributes beside those that are packed.
bool IsBeside(const std::string& member) { return member.ends_with('/') || member.starts_with("__MACOSX/"); }

}  // namespace

absl::StatusOr<std::vector<NamedTensor>> ParseNpz(std::string_view bytes, const std::string& who,
                                                  const ArrayFilter& wanted) {
  const auto is_wanted = [&](const std::string& member) {
    return !IsBeside(member) && (wanted == nullptr || wanted(ArrayName(member)));
  };
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<ZipMember> members, ReadZip(bytes, who, kByteBudget, is_wanted));
  std::vector<NamedTensor> arrays;
  for (const ZipMember& member : members) {
    if (wanted == nullptr && !member.name.ends_with(kSuffix) && !member.bytes.starts_with(kNpyMagic)) continue;
    const std::string array_who = fmt::format("{}: array '{}'", who, member.name);
    if (wanted == nullptr) {
      FUSEBOX_ASSIGN_OR_RETURN(const bool numbers, HasNpyNumbers(member.bytes, array_who));
      if (!numbers) continue;
    }
    FUSEBOX_ASSIGN_OR_RETURN(Tensor array, ParseNpy(member.bytes, array_who));
    arrays.push_back({ArrayName(member.name), std::move(array)});
  }
  return arrays;
}

absl::StatusOr<std::vector<NamedTensor>> ReadNpz(const std::string& path, const ArrayFilter& wanted) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  return ParseNpz(bytes, fmt::format("'{}'", path), wanted);
}

absl::StatusOr<std::vector<std::string>> NpzNames(const std::string& path) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> members, ZipNames(bytes, fmt::format("'{}'", path)));
  std::vector<std::string> names;
  for (const std::string& member : members) {
    if (!IsBeside(member)) names.push_back(ArrayName(member));
  }
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
