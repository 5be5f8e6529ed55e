// SPDX-License-Identifier: Apache-2.0
// Data for models in tests.
#pragma once
#include <cmath>
#include <utility>
#include <vector>

#include "fusebox/runtime/data/tensor.h"

namespace fusebox::testing {

// An array of this shape, with numbers in [-1, 1].
inline Tensor Numbers(std::vector<int64_t> shape) {
  Tensor x(DType::kF32, std::move(shape));
  for (int64_t i = 0; i < x.size(); ++i) x.mutable_values<float>()[size_t(i)] = float(std::sin(double(i) * 1.7));
  return x;
}

}  // namespace fusebox::testing
