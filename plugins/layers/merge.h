// SPDX-License-Identifier: Apache-2.0
// Shared by layers that fold several inputs into one, element by element. Inputs broadcast.
#pragma once
#include <algorithm>

#include "fusebox/plugins/layers/float_input.h"

namespace fusebox {

// Combines the masks if all inputs have one: a step of the result counts if it counts in any of them.
inline void MergeMasks(sdk::Scope& scope, size_t inputs) {
  Value mask = scope.Mask(0);
  for (uint32_t i = 1; i < inputs && mask.ok(); ++i) {
    const Value other = scope.Mask(i);
    mask = other.ok() ? Or(mask, other) : other;
  }
  scope.SetMask(mask);
}

// Inputs of a lower rank with axes of size 1 behind the batch, so that all have one rank: [N, 3] and [N, 4, 3] become
// [N, 1, 3] and [N, 4, 3]. Source: keras.src.layers.merging.base_merge.
inline Values OfOneRank(const Values& inputs) {
  int64_t rank = 0;
  for (const Value& input : inputs) rank = std::max(rank, input.rank());
  Values aligned;
  for (const Value& input : inputs) {
    Dims dims = input.dims();
    const int64_t lacking = rank - int64_t(dims.size());
    if (input.ok() && !dims.empty()) dims.insert(dims.begin() + 1, size_t(lacking), 1);
    aligned.push_back(lacking == 0 || !input.ok() || dims.empty() ? input : Reshape(input, dims));
  }
  return aligned;
}

// f(f(a, b), c), ...
template <class F>
Value Fold(sdk::Scope& scope, const Values& inputs, F f) {
  if (inputs.size() < 2) return scope.Error("expects 2 or more inputs, got {}", inputs.size());
  const Values aligned = OfOneDtype(OfOneRank(inputs));
  Value y = aligned[0];
  for (size_t i = 1; i < aligned.size(); ++i) y = f(y, aligned[i]);
  MergeMasks(scope, inputs.size());
  return y;
}

}  // namespace fusebox
