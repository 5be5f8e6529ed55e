// SPDX-License-Identifier: Apache-2.0
// Zip archives in memory, the form of .npz and .keras files.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/bounded_reader.h"

namespace fusebox {

// How an archive with a member begins.
inline constexpr std::string_view kZipMagic = "PK\x03\x04";

struct ZipMember {
  std::string name;
  std::string bytes;
};

// Unpacks the members that are wanted, by name, or all, stored or deflated, in the archive's order. Writes no files, so
// any names are safe. What is not wanted is not looked into, however damaged it is.
// Errors: no archive, a wrong checksum, two members of one name, a member that unpacks to more or less than it says, an
// archive that unpacks to more than `budget`, checked before memory is taken.
absl::StatusOr<std::vector<ZipMember>> ReadZip(std::string_view bytes, const std::string& who,
                                               uint64_t budget = kByteBudget,
                                               const std::function<bool(const std::string&)>& wanted = nullptr);

// The members' names, in the archive's order. Error: no archive.
absl::StatusOr<std::vector<std::string>> ZipNames(std::string_view bytes, const std::string& who);

// An archive with the members stored as they are, all dated 1980-01-01, so that equal members give equal bytes. Error
// if there is none.
absl::StatusOr<std::string> ZipBytes(const std::vector<ZipMember>& members);

}  // namespace fusebox
