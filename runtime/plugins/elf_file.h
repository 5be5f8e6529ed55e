// SPDX-License-Identifier: Apache-2.0
// Checks of a library that must happen before the dynamic linker loads it.
#pragma once
#include <filesystem>
#include <string_view>

#include "absl/status/status.h"

namespace fusebox {

// Error unless all segments lie inside the file: the linker maps them unchecked, and the process would die by SIGBUS
// when it touches a page that a truncated file lacks. No error for files that are not 64-bit ELF; the linker reports
// those.
absl::Status CheckElfIsWhole(const std::filesystem::path& path);

// Whether an ELF file has a section of this name. False for other files and broken ones.
bool HasElfSection(const std::filesystem::path& path, std::string_view name);

}  // namespace fusebox
