// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/zip_archive.h"

#include <zip.h>

#include <memory>
#include <set>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

constexpr uint64_t kMaxMembers = 65536;
constexpr uint64_t kMaxRatio = 1032;  // Deflate can't do better than this.

// DOS dates begin in 1980; these fields are day 1 of month 1 at 00:00:00.
constexpr zip_uint16_t kDosTime = 0;
constexpr zip_uint16_t kDosDate = 1 << 5 | 1;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
template <class T>
using Owned = std::unique_ptr<T, Discard>;

std::string Text(zip_error_t* error) {
  const std::string text = zip_error_strerror(error);
  zip_error_fini(error);
  return text;
}

absl::StatusOr<std::string> ReadMember(zip_t* archive, const zip_stat_t& member, const std::string& who) {
  const auto corrupt = [&](std::string_view why) {
    return Refuse("{}: member '{}' is corrupt: {}", who, member.name, why);
  };
  const Owned<zip_file_t> file(zip_fopen_index(archive, member.index, 0));
  if (file == nullptr) return corrupt(zip_strerror(archive));
  std::string bytes(member.size, '\0');
  uint64_t found = 0;
  while (found < bytes.size()) {
    const zip_int64_t n = zip_fread(file.get(), bytes.data() + found, bytes.size() - found);
    if (n < 0) return corrupt(zip_file_strerror(file.get()));
    if (n == 0) return corrupt(fmt::format("{} bytes expected, found {}", bytes.size(), found));
    found += uint64_t(n);
  }
  char more;  // Reading up to the end checks the sum, and that there is no more.
  const zip_int64_t n = zip_fread(file.get(), &more, 1);
  if (n < 0) return corrupt(zip_file_strerror(file.get()));
  if (n > 0) return corrupt(fmt::format("more than the {} bytes that it says", bytes.size()));
  return bytes;
}

absl::StatusOr<Owned<zip_t>> OpenZip(std::string_view bytes, const std::string& who) {
  if (bytes.empty())
    return Refuse("{}: no zip archive: it is empty", who);  // Which libzip takes for an archive of nothing.
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) return Refuse("{}: cannot read the archive: {}", who, Text(&error));
  Owned<zip_t> archive(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (archive == nullptr) {
    zip_source_free(source);
    if (zip_error_code_zip(&error) == ZIP_ER_MEMORY) {
      zip_error_fini(&error);
      return absl::ResourceExhaustedError(fmt::format("{}: no memory is left to read the archive", who));
    }
    return Refuse("{}: no zip archive, or cut or damaged: {}", who, Text(&error));
  }
  zip_error_fini(&error);
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  if (uint64_t(count) > kMaxMembers) return Refuse("{}: at most {} members expected, got {}", who, kMaxMembers, count);
  return archive;
}

// What the archive says about its members, whose names differ.
absl::StatusOr<std::vector<zip_stat_t>> Members(zip_t* archive, const std::string& who) {
  std::vector<zip_stat_t> members;
  std::set<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    zip_stat_t member;
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(archive, zip_uint64_t(i), 0, &member) != 0 || (member.valid & kNeeded) != kNeeded) {
      return Refuse("{}: member {} has no name or size", who, i);
    }
    if (!names.insert(member.name).second) return Refuse("{}: two members are named '{}'", who, member.name);
    members.push_back(member);
  }
  return members;
}

}  // namespace

absl::StatusOr<std::vector<ZipMember>> ReadZip(std::string_view bytes, const std::string& who, uint64_t budget,
                                               const std::function<bool(const std::string&)>& wanted) {
  FUSEBOX_ASSIGN_OR_RETURN(const Owned<zip_t> archive, OpenZip(bytes, who));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<zip_stat_t> stats, Members(archive.get(), who));
  std::vector<ZipMember> members;
  uint64_t total = 0;
  for (const zip_stat_t& member : stats) {
    if (wanted != nullptr && !wanted(member.name)) continue;
    if (member.size > budget - total || member.comp_size > bytes.size() ||
        member.size > member.comp_size * kMaxRatio + kMaxRatio) {
      return Refuse("{}: member '{}' would unpack from {} to {} bytes, more than can be read", who, member.name,
                    member.comp_size, member.size);
    }
    total += member.size;
    absl::StatusOr<std::string> content = ReadMember(archive.get(), member, who);
    if (!content.ok()) return content.status();
    members.push_back({member.name, *std::move(content)});
  }
  return members;
}

absl::StatusOr<std::vector<std::string>> ZipNames(std::string_view bytes, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const Owned<zip_t> archive, OpenZip(bytes, who));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<zip_stat_t> members, Members(archive.get(), who));
  std::vector<std::string> names;
  for (const zip_stat_t& member : members) names.emplace_back(member.name);
  return names;
}

absl::StatusOr<std::string> ZipBytes(const std::vector<ZipMember>& members) {
  if (members.empty()) return Refuse("a zip archive of no members can't be written");
  zip_error_t error;
  zip_error_init(&error);
  const Owned<zip_source_t> output(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (output == nullptr) return absl::InternalError("zip: " + Text(&error));
  Owned<zip_t> archive(zip_open_from_source(output.get(), ZIP_TRUNCATE, &error));
  if (archive == nullptr) return absl::InternalError("zip: " + Text(&error));
  zip_source_keep(output.get());  // The archive took our reference and drops it when it closes.
  zip_error_fini(&error);
  const auto failed = [&] { return absl::InternalError(fmt::format("zip: {}", zip_strerror(archive.get()))); };
  for (const ZipMember& member : members) {
    zip_source_t* source = zip_source_buffer(archive.get(), member.bytes.data(), member.bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive.get(), member.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return failed();
    }
    // As a DOS date: a Unix time would be converted by the machine's time zone.
    if (zip_set_file_compression(archive.get(), zip_uint64_t(index), ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), zip_uint64_t(index), kDosTime, kDosDate, 0) != 0) {
      return failed();
    }
  }
  if (zip_close(archive.get()) != 0) return failed();
  (void)archive.release();
  zip_stat_t info;
  if (zip_source_stat(output.get(), &info) != 0 || zip_source_open(output.get()) != 0) {
    return absl::InternalError("zip: the archive in memory cannot be read back");
  }
  std::string bytes(info.size, '\0');
  uint64_t found = 0;
  while (found < bytes.size()) {
    const zip_int64_t n = zip_source_read(output.get(), bytes.data() + found, bytes.size() - found);
    if (n <= 0) break;
    found += uint64_t(n);
  }
  zip_source_close(output.get());
  if (found < bytes.size()) return absl::InternalError("zip: the archive in memory cannot be read back");
  return bytes;
}

}  // namespace fusebox
