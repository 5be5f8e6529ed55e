// SPDX-License-Identifier: Apache-2.0
// HDF5 files of plain datasets, read in a process of their own: libhdf5 crashes on some damaged files.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"

namespace fusebox {

// How every HDF5 file begins.
inline constexpr std::string_view kHdf5Magic = "\x89HDF\r\n\x1a\n";

// All datasets of the file, named by their path from the root ("layers/dense/vars/0"), in alphabetical order. The work
// is done by `fusebox-h5read`, which lies in the folder fusebox/ beside libfusebox, or where $FUSEBOX_H5READ says.
// Errors begin with `who`: not HDF5, damaged, data outside the file, more data than such a file can hold, or no such
// helper.
absl::StatusOr<std::vector<NamedTensor>> ReadHdf5(std::string_view bytes, const std::string& who);

// The same, and the groups' attributes that are texts, or lists of them, as JSON: "model_weights@layer_names" is
// R"(["dense"])"; of the root "@model_config".
struct Hdf5Content {
  std::vector<NamedTensor> datasets;
  std::map<std::string, std::string> texts;
};
absl::StatusOr<Hdf5Content> ReadHdf5WithTexts(std::string_view bytes, const std::string& who);

}  // namespace fusebox
