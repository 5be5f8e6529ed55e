// SPDX-License-Identifier: Apache-2.0
// Counts the inputs and outputs of a unit (fan_in, fan_out) from the shape of a weight, as Keras does:
//     []            1, 1                        [n]              n, n
//     [in, out]     in, out                     [k..., in, out]  prod(k) in, prod(k) out
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

struct Fans {
  double in = 1, out = 1;
};

inline Fans FansOf(const FbType& type) {
  if (type.rank == 0) return {};
  if (type.rank == 1) return {double(type.dims[0]), double(type.dims[0])};
  double field = 1;
  for (int64_t i = 0; i + 2 < type.rank; ++i) field *= double(type.dims[i]);
  return {field * double(type.dims[type.rank - 2]), field * double(type.dims[type.rank - 1])};
}

}  // namespace fusebox
