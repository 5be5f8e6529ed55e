// SPDX-License-Identifier: Apache-2.0
// Which libraries may be loaded: to load one is to run it.
#pragma once
#include <filesystem>

#include "absl/status/status.h"

namespace fusebox {

// Where the library is that this code stands in, as it was loaded: libfusebox.so's folder. Empty if that is not known.
std::filesystem::path OwnFolder();

// Error, with the reason, unless only the user, root or the owner of fusebox itself can have written the library. The file
// belongs to one of them, and everyone else can write neither to it nor to its folder, where it could be replaced. Plugins
// that were installed with fusebox are as safe as fusebox is. The file must exist.
absl::Status CheckTrusted(const std::filesystem::path& file);

}  // namespace fusebox
