// SPDX-License-Identifier: Apache-2.0
// The distributions that initializers draw from. Normal numbers are drawn by inversion: sqrt(2) erfinv(v) is normal for
// v uniform in (-1, 1).
#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include "fusebox/plugins/initializers/fans.h"

namespace fusebox {

// Uniform in [low, high).
inline Value Uniform(const sdk::Scope& scope, const FbType& type, double low, double high) {
  return scope.Random(type) * (high - low) + low;
}

inline Value Normal(const sdk::Scope& scope, const FbType& type, double mean, double deviation) {
  constexpr double kLeast = -1 + 0x1p-24;  // -1 can be drawn, and would map to -infinity.
  const Value v = Max(scope.Random(type) * 2 - 1, kLeast);
  return ErfInv(v) * (std::numbers::sqrt2 * deviation) + mean;
}

// Normal, truncated at two standard deviations, by |v| < erf(sqrt(2)). Truncation narrows it to 0.8796 of the given
// deviation.
inline constexpr double kDeviationWhenCut = 0.87962566103423978;
inline Value TruncatedNormal(const sdk::Scope& scope, const FbType& type, double mean, double deviation) {
  const double edge = std::erf(std::numbers::sqrt2);
  const Value v = scope.Random(type) * (2 * edge) - edge;
  return ErfInv(v) * (std::numbers::sqrt2 * deviation) + mean;
}

// Uniform with variance scale / fan, as in Keras's VarianceScaling.
inline Value UniformOfVariance(const sdk::Scope& scope, const FbType& type, double scale, double fan) {
  const double limit = std::sqrt(3 * scale / std::max(1.0, fan));
  return Uniform(scope, type, -limit, limit);
}
inline Value TruncatedNormalOfVariance(const sdk::Scope& scope, const FbType& type, double scale, double fan) {
  return TruncatedNormal(scope, type, 0, std::sqrt(scale / std::max(1.0, fan)) / kDeviationWhenCut);
}

}  // namespace fusebox
