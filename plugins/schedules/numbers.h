// SPDX-License-Identifier: Apache-2.0
// Arithmetic of schedules: scalars in f64, so that millions of steps count exactly.
#pragma once
#include <numbers>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

// An attribute of the schedule, f64[].
inline Value Wide(const sdk::Scope& scope, const char* attribute) { return Cast(scope.Scalar(attribute), FB_F64); }

// base^exponent for base >= 0.
inline Value Power(Value base, Value exponent) { return Exp(Log(base) * exponent); }

// cos(pi x) for 0 <= x <= 1: -sin(y) at y = pi (x - 1/2), by its Taylor series; the first omitted term is below 1e-16.
inline Value CosPi(Value x) {
  const Value y = (x - 0.5) * std::numbers::pi, square = y * y;
  Value series = square * 0 + 1;
  for (int n = 20; n >= 2; n -= 2) series = 1 - series * square / double(n * (n + 1));
  return -(y * series);
}

}  // namespace fusebox
