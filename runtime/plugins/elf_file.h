// SPDX-License-Identifier: Apache-2.0
// What has to be known of a library before the dynamic linker sees it.
#pragma once
#include <filesystem>
#include <string_view>

#include "absl/status/status.h"

namespace fusebox {

// Whether all segments lie inside the file: the linker maps them unseen, and the process dies by SIGBUS when it touches
// a page that a truncated file lacks. What is no 64-bit ELF file at all is fine here; the linker says so itself.
absl::Status CheckElfIsWhole(const std::filesystem::path& path);

// Whether an ELF file has a section of this name. False for what is none or is broken.
bool HasElfSection(const std::filesystem::path& path, std::string_view name);

}  // namespace fusebox
