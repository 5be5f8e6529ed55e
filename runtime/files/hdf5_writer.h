// SPDX-License-Identifier: Apache-2.0
// HDF5 files of plain datasets, as Keras's .weights.h5 are.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"

namespace fusebox {

// The image of a file, built in memory, with one dataset a tensor; its name is the path from the root, as in
// "layers/dense/vars/0". Little-endian, contiguous, no object times: equal tensors give equal bytes. A bool is the
// enumeration that h5py uses. Error: a name that is empty, given twice, or a group too.
absl::StatusOr<std::string> Hdf5Bytes(const std::vector<NamedTensor>& datasets);

}  // namespace fusebox
