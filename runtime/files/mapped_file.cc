// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/system_error.h"

namespace fusebox {

absl::StatusOr<OpenedFile> OpenRegularFile(const std::string& path, const std::string& who) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  OpenedFile file{FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))};
  if (!file.fd.ok()) return SystemError(who, "cannot open", errno);
  struct stat info;
  if (::fstat(file.fd.get(), &info) != 0) return SystemError(who, "cannot read", errno);
  if (S_ISDIR(info.st_mode)) return Refuse("{}: a file expected, got a folder", who);
  if (!S_ISREG(info.st_mode)) return Refuse("{}: a regular file expected, got a device, pipe or socket", who);
  file.bytes = uint64_t(info.st_size);
  return file;
}

absl::StatusOr<MappedFile> MapWholeFile(const std::string& path) {
  const std::string who = fmt::format("'{}'", path);
  FUSEBOX_ASSIGN_OR_RETURN(const OpenedFile file, OpenRegularFile(path, who));
  const size_t size = file.bytes;
  if (size == 0) return MappedFile{};
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd.get(), 0);
  if (start == MAP_FAILED) return SystemError(who, "cannot map", errno);
  const auto unmap = [size](void* mapping) { ::munmap(mapping, size); };
  return MappedFile{{static_cast<const char*>(start), size}, std::shared_ptr<void>(start, unmap)};
}

}  // namespace fusebox
