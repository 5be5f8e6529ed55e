// SPDX-License-Identifier: Apache-2.0
// Integers as inputs of layers that compute with real numbers.
#pragma once
#include <algorithm>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

inline bool IsFloat(uint32_t dtype) { return dtype == FB_F32 || dtype == FB_F64; }

// The values in a float type, f32 unless they have one. Most of Keras's layers take integers too: their weights are f32,
// and so is what they are combined with. (Its normalizations within a sample round to integers on the way, which ours
// refuse instead.)
inline Value AsFloat(Value x) { return !x.ok() || IsFloat(x.dtype()) ? x : Cast(x, FB_F32); }

// Inputs of several dtypes in the one that holds what all of them hold, as Keras promotes them: integers beside floats
// become floats.
inline Values OfOneDtype(Values inputs) {
  const auto any = [&](auto is) {
    return std::ranges::any_of(inputs, [&](Value x) { return x.ok() && is(x.dtype()); });
  };
  if (!any([&](uint32_t dtype) { return dtype != inputs[0].dtype(); })) return inputs;
  const auto is_one = [](uint32_t wanted) { return [wanted](uint32_t dtype) { return dtype == wanted; }; };
  const uint32_t common = any(is_one(FB_F64)) ? FB_F64 : any(IsFloat) ? FB_F32 : any(is_one(FB_I64)) ? FB_I64 : FB_I32;
  for (Value& input : inputs) {
    if (input.ok() && input.dtype() != common) input = Cast(input, common);
  }
  return inputs;
}

}  // namespace fusebox
