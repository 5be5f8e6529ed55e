// SPDX-License-Identifier: Apache-2.0
// Loads a plugin library and checks all that it says about itself. Afterwards only what its functions return needs
// checking.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/plugins/plugin_item.h"

namespace fusebox {

struct LoadedLibrary {
  std::shared_ptr<const PluginLibrary> library;
  std::vector<PluginItem> items;  // In the order of (kind, key).
};

// Loads a library for the rest of the process: code and data of a plugin may be referred to from anywhere.
// Error, with the file's name: no such file, not a library, no entry, another ABI, whatever is wrong in its items.
absl::StatusOr<LoadedLibrary> LoadLibrary(const std::filesystem::path& path);

// Whether a file is the library of a model, told without loading it: FUSEBOX_MODEL marks it by a section.
bool IsModelLibrary(const std::filesystem::path& path);

}  // namespace fusebox
