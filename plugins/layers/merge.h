// SPDX-License-Identifier: Apache-2.0
// Shared by layers that fold several inputs into one, element by element. Inputs broadcast.
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

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

// f(f(a, b), c), ...
template <class F>
Value Fold(sdk::Scope& scope, const Values& inputs, F f) {
  if (inputs.size() < 2) return scope.Error("expects 2 or more inputs, got {}", inputs.size());
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
