// SPDX-License-Identifier: Apache-2.0
// Measures the errors of the compiled elementary functions of f32.
#pragma once
#include <cstdint>

#include "fusebox/graph/op.h"

namespace fusebox::testing {

// Compares the op with `exact` on every step-th of all 2^32 bit patterns, including both zeros, denormals, infinities
// and NaN. Prints the error, in units in the last place of the exact f32 result, and checks that it stays within the
// bound.
void ExpectUlps(Op op, long double (*exact)(long double), double bound, uint64_t step);

// 1 / (1 + e^-x).
long double ExactSigmoid(long double x);
// log(1 + e^x).
long double ExactSoftplus(long double x);

}  // namespace fusebox::testing
