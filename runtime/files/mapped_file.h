// SPDX-License-Identifier: Apache-2.0
// Maps a file into memory: its pages are read when they are touched, and take no memory of the process.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/files/file_descriptor.h"

namespace fusebox {

// Opens a regular file for reading. Errors, after `who`: missing, a folder, a device.
struct OpenedFile {
  FileDescriptor fd;
  uint64_t bytes = 0;
};
absl::StatusOr<OpenedFile> OpenRegularFile(const std::string& path, const std::string& who);

// Writing over the file meanwhile changes what is read, and shortening it ends the process (SIGBUS). Replacing it,
// as all our writers do, is safe.
struct MappedFile {
  std::string_view bytes;
  std::shared_ptr<const void> owner;  // Keeps the bytes mapped.
};
absl::StatusOr<MappedFile> MapWholeFile(const std::string& path);

}  // namespace fusebox
