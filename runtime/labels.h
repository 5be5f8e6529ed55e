// SPDX-License-Identifier: Apache-2.0
// Classes as data: checked before a program reads them, since it gathers by them unchecked.
#pragma once
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/tensor.h"

namespace fusebox {

// y as i32, all in [0, classes). Without a copy if it is i32. Error: the first sample that isn't in range, with its index
// and value; `loss` says who asks.
absl::StatusOr<Tensor> ClassLabels(const Tensor& y, int64_t classes, std::string_view loss);

}  // namespace fusebox
