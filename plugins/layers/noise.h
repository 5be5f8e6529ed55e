// SPDX-License-Identifier: Apache-2.0
// Random numbers for layers that drop elements or add noise; new ones in each training step.
#pragma once
#include <numbers>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

// Uniform in [0, 1), in the shape of x or of Keras's noise_shape (empty: none; -1: the size of x). With a seed other
// than sdk::kNoInt, the numbers do not depend on the model's seed.
inline Value Uniform(sdk::Scope& scope, Value x, int64_t seed, Dims noise_shape = {}) {
  const Dims dims = x.dims();
  if (noise_shape.empty()) noise_shape = dims;
  if (noise_shape.size() != dims.size()) {
    return scope.Error("expects a noise_shape of {} numbers for {}, got {}", dims.size(), x.type(), noise_shape.size());
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    if (noise_shape[i] == -1) noise_shape[i] = dims[i];
    if (noise_shape[i] != dims[i] && noise_shape[i] != 1) {
      return scope.Error("expects 1, -1 or {} in axis {} of noise_shape, got {}", dims[i], i, noise_shape[i]);
    }
  }
  return scope.Random(MakeType(x.dtype(), noise_shape), seed);
}

// Normal with mean 0 and standard deviation 1, in the shape of x.
inline Value Normal(sdk::Scope& scope, Value x, int64_t seed) {
  // Half a step above the lattice of [0, 1), so that erfinv never sees -1.
  const Value u = Uniform(scope, x, seed);
  return ErfInv(u * 2 - (1 - 0x1p-24)) * std::numbers::sqrt2;
}

}  // namespace fusebox
