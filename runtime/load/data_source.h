// SPDX-License-Identifier: Apache-2.0
// Loads data by name: from a data-source plugin or a file, whole or a slice.
//
// runtime/load/ opens what a user names. Of runtime/ it sees all but save/ and plots/.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/load/table.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// Loads the samples that a reference names:
//
//   fashion_mnist                a data-source plugin's first split
//   fashion_mnist:test           one of its splits
//   fashion_mnist:train[5000:]   some of it, as TensorFlow Datasets writes it: [:100], [10:20], [-50:], [:80%],
//                                [25%:75%]
//   acme/cubes:size=3/train[:9]  with attributes, which a '/' ends
//   data.npz                     arrays x and y
//   table.csv                    all columns but the targets and those ignored are x f32[n, columns]; the target is y
//                                f32[n], several are y f32[n, targets]
//   images.npy,labels.npy        two arrays, x and y; large ones are read from the files as training needs them
//   images-idx3-ubyte.gz,labels-idx1-ubyte.gz   two IDX files, x and y
//
// Arrays keep their dtype: pixels stay u8. Other arrays in an .npz do not matter, of text or Python objects neither.
// A path may have a ',' in it: a file that exists under the whole name is read as one.
//
// A file may have a slice, too: data.npz[:100]. Errors: an unknown data source or split, with those that there are; a
// file that is missing or broken; no array of the name; x and y of different length.
absl::StatusOr<Data> LoadData(const std::string& reference, const TableOptions& table = {});

// The same for a model: the arrays of an .npz may also be named as its inputs and outputs are. Error: one that the
// model needs is missing, or it has none of this name, with all names.
absl::StatusOr<DataArg> LoadDataFor(const ModelConfig& model, const std::string& reference,
                                    const TableOptions& table = {});

// The rows [begin, end) that a slice, with its brackets, takes of `rows` rows.
struct RowRange {
  int64_t begin = 0, end = 0;  // The first row, and the first one behind.
};
// Error: it is no slice, or it takes no rows.
absl::StatusOr<RowRange> ParseSlice(std::string_view slice, int64_t rows);

}  // namespace fusebox
