// SPDX-License-Identifier: Apache-2.0
// Measures the errors of the compiled elementary functions of f32.
#pragma once
#include <cstdint>

namespace fusebox::testing {

// Compares the op of this name with `exact` on every step-th of all 2^32 bit patterns: both zeros, denormals,
// infinities, NaN. The error, in units of the last place that the exact result has in f32, has to stay within the
// bound, and is printed.
void ExpectUlps(const char* op, long double (*exact)(long double), double bound, uint64_t step);

// 1 / (1 + e^-x).
long double ExactSigmoid(long double x);
// log(1 + e^x).
long double ExactSoftplus(long double x);

}  // namespace fusebox::testing
