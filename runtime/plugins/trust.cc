// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/trust.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

std::filesystem::path OwnFile() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&OwnFile), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const auto file = std::filesystem::canonical(info.dli_fname, error);
  return error ? std::filesystem::path() : file;
}

// Error unless no other user can have written, or can write, what is at this path.
absl::Status CheckOne(const char* what, const std::filesystem::path& path) {
  struct stat about, own;
  if (::stat(path.c_str(), &about) != 0) return Refuse("the {} '{}' cannot be looked at", what, path.string());
  const bool is_ours = about.st_uid == ::geteuid() || about.st_uid == 0 ||
                       (::stat(OwnFile().c_str(), &own) == 0 && about.st_uid == own.st_uid);
  if (!is_ours) {
    return Refuse("the {} '{}' belongs to user {}: expected one that belongs to user {} or to root", what,
                  path.string(), about.st_uid, ::geteuid());
  }
  if ((about.st_mode & S_IWOTH) != 0)
    return Refuse("everyone may write to the {} '{}': take that right away with chmod o-w", what, path.string());
  return absl::OkStatus();
}

}  // namespace

std::filesystem::path OwnFolder() { return OwnFile().parent_path(); }

absl::Status CheckTrusted(const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(file, error);
  if (real.parent_path() == OwnFolder() / "fusebox/plugins") return absl::OkStatus();
  FUSEBOX_RETURN_IF_ERROR(CheckOne("file", real));
  FUSEBOX_RETURN_IF_ERROR(CheckOne("folder", real.parent_path()));
  // A link could be replaced, too.
  const std::filesystem::path named = std::filesystem::absolute(file, error).parent_path();
  return std::filesystem::equivalent(named, real.parent_path(), error) ? absl::OkStatus() : CheckOne("folder", named);
}

}  // namespace fusebox
