// SPDX-License-Identifier: Apache-2.0
// Norms of the vectors along some axes of a weight: along axis 0 of a kernel [in, units], one norm for each unit.
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

inline constexpr double kEpsilon = 1e-7;  // Keras's epsilon, added to a norm before dividing by it.
inline constexpr int64_t kFirstAxis[] = {0};

// Shaped like w, with size 1 along the axes.
inline Value NormsAlong(Value w, const Dims& axes) { return Sqrt(Sum(Square(w), axes, true)); }

}  // namespace fusebox
