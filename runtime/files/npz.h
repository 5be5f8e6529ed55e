// SPDX-License-Identifier: Apache-2.0
// NumPy's .npz: a zip archive of .npy files.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"

namespace fusebox {

// Chooses arrays by name, as np.load names them.
using ArrayFilter = std::function<bool(const std::string& name)>;

// The arrays in the archive's order, stored (np.savez) or deflated (np.savez_compressed). With a filter, only those that
// it chooses are unpacked and read; one that holds no numbers is an error then. Without, folders, other files, and arrays
// of text, Python objects or structs are left out. Errors name the archive and the member.
absl::StatusOr<std::vector<NamedTensor>> ReadNpz(const std::string& path, const ArrayFilter& wanted = nullptr);
absl::StatusOr<std::vector<NamedTensor>> ParseNpz(std::string_view bytes, const std::string& who,
                                                  const ArrayFilter& wanted = nullptr);

// The names of all arrays, whatever they hold, in the archive's order.
absl::StatusOr<std::vector<std::string>> NpzNames(const std::string& path);

// An archive that np.load opens. Equal arrays give equal bytes. Replaces the file whole or not at all.
absl::StatusOr<std::string> NpzBytes(const std::vector<NamedTensor>& arrays);
absl::Status WriteNpz(const std::string& path, const std::vector<NamedTensor>& arrays);

}  // namespace fusebox
