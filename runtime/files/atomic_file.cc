// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/file_descriptor.h"
#include "fusebox/runtime/files/removed_by_signal.h"
#include "fusebox/runtime/files/system_error.h"

namespace fusebox {
namespace {

namespace fs = std::filesystem;

std::string Quoted(const std::string& path) { return fmt::format("'{}'", path); }

// Where the bytes go: `path` itself, or what it links to. Error if that is there and no regular file.
absl::StatusOr<fs::path> Target(const std::string& path) {
  if (path.empty()) return Refuse("an output path is empty");
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(target, error)) {
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
  return target;
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
    for (int attempt = 0; attempt < 100; ++attempt) {
      const std::string base = target.filename().string().substr(0, 200);  // A file name has 255 bytes at most.
      const fs::path name = target.parent_path() / fmt::format(".{}.{}-{}.tmp", base, ::getpid(), count++);
      guard_.emplace(name.string());
      // Not mkstemp: its files are for the owner alone, ours have the mode that the umask gives to any new file.
      fd_ = FileDescriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (fd_.ok()) {
        name_ = name.string();
        return 0;
      }
      const int error = errno;
      guard_.reset();
      if (error != EEXIST) return error;
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

  int RenameTo(const fs::path& target) {
    if (fd_.Close() != 0) return errno;
    if (::rename(name_.c_str(), target.c_str()) != 0) return errno;
    name_.clear();
    guard_.reset();
    return 0;
  }

 private:
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
