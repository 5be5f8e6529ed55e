// SPDX-License-Identifier: Apache-2.0
// libsvm's and svmlight's text format of sparse samples, "1 3:0.5 7:2", as scikit-learn's dump_svmlight_file writes it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

struct LibsvmOptions {
  int64_t features = 0;  // Columns of x; 0: as many as the largest index needs.
  // The first feature's index, 0 or 1. By default it is 1 if no sample has an index 0, as load_svmlight_file has it.
  std::optional<int> first_index = std::nullopt;
};

struct LibsvmData {
  Tensor x;  // f32 [n, features], 0 where a sample has no value.
  Tensor y;  // f32 [n]
};

// Skips comments behind '#' and query ids. Errors, with the line: no number, several labels, indices that do not
// increase, an index beyond `features`, a table that is too large when it is dense.
// Source: sklearn.datasets.load_svmlight_file.
absl::StatusOr<LibsvmData> ReadLibsvm(const std::string& path, const LibsvmOptions& options = {});
absl::StatusOr<LibsvmData> ParseLibsvm(std::string_view text, const std::string& who,
                                       const LibsvmOptions& options = {});

}  // namespace fusebox
