// SPDX-License-Identifier: Apache-2.0
// Classes as data: checked before a program reads them, since it gathers by them unchecked.
#pragma once
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// Error if y, called `who`, has a NaN: the first sample with one. Numbers that are no floats have none, and are not
// read.
absl::Status CheckNoNan(const Tensor& y, std::string_view who);

// Error unless all of y are whole numbers, as `metric` takes them for classes: the first sample that isn't. Only floats
// are read.
absl::Status CheckWhole(const Tensor& y, std::string_view metric);

// Error unless all of y, of whatever dtype, are whole numbers in [0, classes): the first sample that isn't, with its
// index and value; `loss` says who asks. `ignored` is fine, too, whatever it is.
absl::Status CheckClassLabels(const Tensor& y, int64_t classes, std::string_view loss,
                              std::optional<int64_t> ignored = {});

}  // namespace fusebox
