// SPDX-License-Identifier: Apache-2.0
// What the layers share that fold several inputs of one shape into one, element by element; inputs broadcast.
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

// Where all inputs have masks, what counts in any of them counts in the result.
inline void MergeMasks(sdk::Scope& scope, size_t inputs) {
  Value mask = scope.Mask(0);
  for (uint32_t i = 1; i < inputs && mask.ok(); ++i) {
    const Value other = scope.Mask(i);
    mask = other.ok() ? Or(mask, other) : other;
  }
  scope.SetMask(mask);
}

// f(f(a, b), c), ...
template <class F>
Value Fold(sdk::Scope& scope, const Values& inputs, F f) {
  if (inputs.size() < 2) return scope.Error("expects 2 inputs or more, got {}", inputs.size());
  Value y = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].dtype() != y.dtype()) {
      return scope.Error("expects inputs of one dtype, got {} and {}", y.type(), inputs[i].type());
    }
    y = f(y, inputs[i]);
  }
  MergeMasks(scope, inputs.size());
  return y;
}

}  // namespace fusebox
