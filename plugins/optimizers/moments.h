// SPDX-License-Identifier: Apache-2.0
// Running means of a gradient g and of its square, as kept by Adam and its variants:
//     m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
// Both begin at 0, so after t steps they are too small by the factor 1 - beta^t. Powers are computed in f64: if beta is
// close to 1, the difference would lose most digits of an f32, and scalars are cheap.
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

// base^exponent for base >= 0; f64[].
inline Value Power(Value base, Value exponent) { return Exp(Log(base) * exponent); }

// A Float attribute as f64[].
inline Value WideScalar(const sdk::Scope& scope, const char* name) { return Cast(scope.Scalar(name), FB_F64); }

// The number of this update, from 1 on; f64[].
inline Value UpdateNumber(const sdk::Scope& scope) { return Cast(scope.Counter(), FB_F64) + 1; }

// 1 - beta^t, f64[].
inline Value BiasCorrection(const sdk::Scope& scope, const char* beta) {
  return 1 - Power(WideScalar(scope, beta), UpdateNumber(scope));
}

// Returns the mean after including this value, and assigns it to the slot.
inline Value RunningAverage(const sdk::Scope& scope, Value slot, Value value, Value beta) {
  const Value next = slot + (value - slot) * (1 - beta);
  scope.Assign(slot, next);
  return next;
}

// Square root of the sum of all squares, f32[].
inline Value Norm(Value x) { return Sqrt(Sum(Square(x), sdk::AllAxes(x))); }

struct Moments {
  Value first, second;
};
inline Moments UpdateMoments(const sdk::Scope& scope, Value gradient, const char* beta_1 = "beta_1",
                             const char* beta_2 = "beta_2") {
  const Value m = scope.Slot("momentum", gradient.type());
  const Value v = scope.Slot("velocity", gradient.type());
  const Value first = RunningAverage(scope, m, gradient, scope.Scalar(beta_1));
  return {first, RunningAverage(scope, v, Square(gradient), scope.Scalar(beta_2))};
}

}  // namespace fusebox
