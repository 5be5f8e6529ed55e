// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/file_descriptor.h"
#include "fusebox/runtime/files/signal_cleanup.h"
#include "fusebox/runtime/files/system_error.h"

namespace fusebox {
namespace {

namespace fs = std::filesystem;

std::string Quoted(const std::string& path) { return fmt::format("'{}'", path); }

// The rule of Linux's fs.protected_symlinks, which not every machine has switched on: in a folder that everyone may write
// to, another user's link could make us overwrite any file of ours.
bool IsTrap(const fs::path& link) {
  struct stat of_link, of_folder;
  const fs::path folder = link.has_parent_path() ? link.parent_path() : fs::path(".");
  if (::lstat(link.c_str(), &of_link) != 0 || ::stat(folder.c_str(), &of_folder) != 0) return false;
  const bool is_shared = (of_folder.st_mode & S_IWOTH) != 0;
  return is_shared && of_link.st_uid != ::geteuid() && of_link.st_uid != of_folder.st_uid;
}

// Where the bytes go: `path` itself, or what it links to. Error if that is there and no regular file.
absl::StatusOr<fs::path> Target(const std::string& path) {
  if (path.empty()) return Refuse("an output path is empty");
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(target, error)) {
    if (IsTrap(target))
      return absl::PermissionDeniedError(
          fmt::format("'{}': a link of another user in a folder that everyone may write to is not followed", path));
    target = fs::canonical(path, error);
    if (error) return Refuse("'{}': a regular file expected, got a link to nothing", path);
  }
  if (!target.has_filename()) return Refuse("'{}': a file name expected, got a folder", path);
  const fs::file_status status = fs::status(target, error);
  if (fs::is_directory(status)) return Refuse("'{}': a file name expected, got a folder", path);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return Refuse("'{}': a regular file expected, got a device, pipe or socket", path);
  }
  if (!target.has_parent_path()) target = "." / target;
  const fs::path folder = target.parent_path();
  if (!fs::exists(folder, error))
    return absl::NotFoundError(fmt::format("'{}': there is no folder '{}'", path, folder.string()));
  if (!fs::is_directory(folder, error)) return Refuse("'{}': '{}' is not a folder", path, folder.string());
  const long longest = ::pathconf(folder.c_str(), _PC_NAME_MAX);
  if (const size_t length = target.filename().string().size(); longest > 0 && length > size_t(longest))
    return Refuse("'{}': expected a file name of at most {} bytes, got {}", path, longest, length);
  return target;
}

// ".NAME.PID-N.tmp", beside the file of this name. A file name has 255 bytes at most.
std::string TemporaryPrefix(const fs::path& target) {
  return fmt::format(".{}.", target.filename().string().substr(0, 200));
}

bool IsTemporaryName(std::string_view name, std::string_view prefix) {
  constexpr std::string_view kSuffix = ".tmp";
  if (!name.starts_with(prefix) || !name.ends_with(kSuffix) || name.size() < prefix.size() + kSuffix.size())
    return false;
  name.remove_prefix(prefix.size());
  name.remove_suffix(kSuffix.size());
  const size_t dash = name.find('-');
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return dash != std::string_view::npos && is_number(name.substr(0, dash)) && is_number(name.substr(dash + 1));
}

// Removes temporary files of this target that killed processes left. A writer holds its file's lock, in whichever
// container or on whichever machine it runs.
void RemoveStale(const fs::path& target) {
  const std::string prefix = TemporaryPrefix(target);
  std::error_code error;
  for (fs::directory_iterator each(target.parent_path(), error), end; !error && each != end; each.increment(error)) {
    if (!IsTemporaryName(each->path().filename().string(), prefix)) continue;
    // Not blocked by a pipe of this name.
    const FileDescriptor fd(::open(each->path().c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info;
    if (!fd.ok() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(each->path().c_str());
  }
}

// A new file beside the target. It goes away with this object, unless it was renamed, or with the process, if a signal
// ends that.
class TemporaryFile {
 public:
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  // Returns an errno, 0 if it went well.
  int Create(const fs::path& target) {
    static std::atomic<uint64_t> count{0};
    RemoveStale(target);
    struct stat old;
    const bool replaces = ::stat(target.c_str(), &old) == 0;
    for (int attempt = 0; attempt < 100; ++attempt) {
      const fs::path name =
          target.parent_path() / fmt::format("{}{}-{}.tmp", TemporaryPrefix(target), ::getpid(), count++);
      guard_.emplace(name.string());
      // Not mkstemp: its files are for the owner alone, ours have the mode that the umask gives to any new file. What
      // replaces a file is for its owner alone until TakeOver.
      fd_ = FileDescriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, replaces ? 0600 : 0666));
      if (!fd_.ok()) {
        const int error = errno;
        guard_.reset();
        if (error != EEXIST) return error;
        continue;
      }
      name_ = name.string();
      // Not every file system has locks; then nothing is swept either. RemoveStale of another process may have been
      // faster than the lock.
      struct stat mine;
      const bool is_locked = ::flock(fd_.get(), LOCK_EX) == 0;
      if (is_locked && ::fstat(fd_.get(), &mine) == 0 && mine.st_nlink == 0) continue;
      if (replaces) TakeOver(old);
      return 0;
    }
    return EEXIST;
  }

  int Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_.get(), bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      bytes.remove_prefix(size_t(n));
    }
    return 0;
  }

  int Sync() { return ::fsync(fd_.get()) == 0 ? 0 : errno; }

  // All is synced, so that closing cannot fail; the lock lasts until the file has its name.
  int RenameTo(const fs::path& target) {
    if (::rename(name_.c_str(), target.c_str()) != 0) return errno;
    name_.clear();
    guard_.reset();
    return 0;
  }

 private:
  // Gives the file the mode of the one that it replaces, and its owner and group where that is permitted. A group that
  // the file cannot have gets the rights of all others.
  void TakeOver(const struct stat& old) {
    mode_t mode = old.st_mode & 0777;
    if (::fchown(fd_.get(), old.st_uid, old.st_gid) != 0 && ::fchown(fd_.get(), uid_t(-1), old.st_gid) != 0)
      mode = (mode & 0707) | ((mode & 0007) << 3);
    [[maybe_unused]] const int failed = ::fchmod(fd_.get(), mode);  // Then it stays for the owner alone.
  }

  std::string name_;
  std::optional<RemovedBySignal> guard_;
  FileDescriptor fd_;
};

int SyncFolder(const fs::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return errno;
  if (::fsync(fd.get()) == 0) return 0;
  return errno == EINVAL || errno == ENOTSUP ? 0 : errno;  // Some file systems do not sync folders.
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  const absl::StatusOr<fs::path> target = Target(path);
  if (!target.ok()) return target.status();
  TemporaryFile file;
  if (const int error = file.Create(*target))
    return SystemError(Quoted(path), "cannot create a file in its folder", error);
  if (const int error = file.Write(bytes)) return SystemError(Quoted(path), "cannot write", error);
  if (const int error = file.Sync()) return SystemError(Quoted(path), "cannot write", error);
  if (const int error = file.RenameTo(*target)) return SystemError(Quoted(path), "cannot replace", error);
  if (const int error = SyncFolder(target->parent_path()))
    return SystemError(Quoted(path), "cannot sync its folder", error);
  return absl::OkStatus();
}

absl::Status CheckWritable(const std::string& path) {
  const absl::StatusOr<fs::path> target = Target(path);
  if (!target.ok()) return target.status();
  TemporaryFile probe;
  if (const int error = probe.Create(*target))
    return SystemError(Quoted(path), "cannot create a file in its folder", error);
  return absl::OkStatus();
}

}  // namespace fusebox
