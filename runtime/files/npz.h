// SPDX-License-Identifier: Apache-2.0
// NumPy's .npz: a zip archive of .npy files.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"

namespace fusebox {

// The arrays in the archive's order, stored (np.savez) or deflated (np.savez_compressed), named as np.load names them.
// Leaves out folders, and arrays of text or Python objects, which go to `left_out` by name. Errors name the archive and
// the member.
absl::StatusOr<std::vector<NamedTensor>> ReadNpz(const std::string& path);
absl::StatusOr<std::vector<NamedTensor>> ParseNpz(std::string_view bytes, const std::string& who,
                                                  std::vector<std::string>* left_out = nullptr);
// The names of arrays in the archive that hold no numbers; none if it cannot be read.
std::vector<std::string> ArraysWithoutNumbers(const std::string& path);

// An archive that np.load opens. Equal arrays give equal bytes. Replaces the file whole or not at all.
absl::StatusOr<std::string> NpzBytes(const std::vector<NamedTensor>& arrays);
absl::Status WriteNpz(const std::string& path, const std::vector<NamedTensor>& arrays);

}  // namespace fusebox
