// SPDX-License-Identifier: Apache-2.0
// Norms of the vectors that lie along some axes of a weight: along axis 0 of a kernel [in, units], those of each unit.
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

inline constexpr double kEpsilon = 1e-7;  // Keras's, added where a norm divides.
inline constexpr int64_t kFirstAxis[] = {0};

// Like w, with 1 for the axes.
inline Value NormsAlong(Value w, const Dims& axes) { return Sqrt(Sum(Square(w), axes, true)); }

}  // namespace fusebox
