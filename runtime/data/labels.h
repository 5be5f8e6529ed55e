// SPDX-License-Identifier: Apache-2.0
// Checks of class labels. They run before a program reads the labels, because the program gathers by them unchecked.
#pragma once
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// Error if y has a NaN: names the first sample with one, and y by `who`. Integers have no NaN and are not read.
absl::Status CheckNoNan(const Tensor& y, std::string_view who);

// Error unless all of y are whole numbers, because `metric` takes them for classes: names the first sample that is not.
// Only floats are read.
absl::Status CheckWhole(const Tensor& y, std::string_view metric);

// Error unless all of y, of any dtype, are whole numbers in [0, classes) or `ignored`: names the first sample that is
// not, with its index and value, and `loss`, which needs the classes.
absl::Status CheckClassLabels(const Tensor& y, int64_t classes, std::string_view loss,
                              std::optional<int64_t> ignored = {});

}  // namespace fusebox
