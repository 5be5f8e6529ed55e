// SPDX-License-Identifier: Apache-2.0
// A file in memory without a copy: its pages are read as they are touched, and need no memory of ours.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/file_descriptor.h"

namespace fusebox {

// A regular file, open for reading. Errors, after `who`: missing, a folder, a device.
struct OpenedFile {
  FileDescriptor fd;
  uint64_t bytes = 0;
};
absl::StatusOr<OpenedFile> OpenRegularFile(const std::string& path, const std::string& who);

// Writing over the file meanwhile changes what is read, and shortening it ends the process (SIGBUS). Replacing it,
// as all our writers do, is safe.
struct MappedFile {
  std::string_view bytes;
  std::shared_ptr<const void> owner;  // Keeps them there.
};
absl::StatusOr<MappedFile> MapWholeFile(const std::string& path);

}  // namespace fusebox
