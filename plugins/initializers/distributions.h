// SPDX-License-Identifier: Apache-2.0
// The distributions that initializers draw from. Normal numbers are drawn by inversion: sqrt(2) erfinv(v) is normal for
// v uniform in (-1, 1).
#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include "fusebox/plugins/initializers/fans.h"

namespace fusebox {

// The attribute of all random initializers. Without it, each weight has a stream of the model's seed.
inline constexpr sdk::Schema kSeed = sdk::Int("seed", sdk::kNoInt).Doc("seed; by default the model's");

// Uniform in [0, 1). A seed other than sdk::kNoInt gives the same numbers to all weights of one shape, in any model.
inline Value Uniform(const sdk::Scope& scope, const FbType& type, int64_t seed) {
  if (seed == sdk::kNoInt) return scope.Random(type);
  const Value key = scope.Constant(double(seed), FB_I64), step = scope.Constant(0, FB_I64);
  return Emit(
      "random_uniform", {key, step},
      {{"dims", Dims(type.dims, type.dims + type.rank)}, {"dtype", int64_t(type.dtype)}, {"stream", int64_t{0}}});
}
// Uniform in [low, high).
inline Value Uniform(const sdk::Scope& scope, const FbType& type, double low, double high, int64_t seed) {
  return Uniform(scope, type, seed) * (high - low) + low;
}

inline Value Normal(const sdk::Scope& scope, const FbType& type, double mean, double deviation, int64_t seed) {
  constexpr double kLeast = -1 + 0x1p-24;  // -1 can be drawn, and would map to -infinity.
  const Value v = Max(Uniform(scope, type, seed) * 2 - 1, kLeast);
  return ErfInv(v) * (std::numbers::sqrt2 * deviation) + mean;
}

// Normal, truncated at two standard deviations, by |v| < erf(sqrt(2)). Truncation narrows it to 0.8796 of the given
// deviation.
inline constexpr double kDeviationWhenCut = 0.87962566103423978;
inline Value TruncatedNormal(const sdk::Scope& scope, const FbType& type, double mean, double deviation, int64_t seed) {
  const double edge = std::erf(std::numbers::sqrt2);
  const Value v = Uniform(scope, type, seed) * (2 * edge) - edge;
  return ErfInv(v) * (std::numbers::sqrt2 * deviation) + mean;
}

// Uniform with variance scale / fan, as in Keras's VarianceScaling.
inline Value UniformOfVariance(const sdk::Scope& scope, const FbType& type, double scale, double fan, int64_t seed) {
  const double limit = std::sqrt(3 * scale / std::max(1.0, fan));
  return Uniform(scope, type, -limit, limit, seed);
}
inline Value TruncatedNormalOfVariance(const sdk::Scope& scope, const FbType& type, double scale, double fan,
                                       int64_t seed) {
  return TruncatedNormal(scope, type, 0, std::sqrt(scale / std::max(1.0, fan)) / kDeviationWhenCut, seed);
}

}  // namespace fusebox
