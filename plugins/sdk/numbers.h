// SPDX-License-Identifier: Apache-2.0
// Numbers that attributes hold, as values of the graph.
#pragma once
#include "fusebox/plugins/sdk/scope.h"

namespace fusebox::sdk {

// Each number of an array is a node of the graph, so arrays are to be small.
inline constexpr size_t kMaxArray = 4096;

// The numbers as an array of this shape, dtype[dims]. Error: their count is not the shape's, or above kMaxArray.
inline Value ArrayOf(const Scope& scope, const std::vector<double>& numbers, const Dims& dims,
                     uint32_t dtype = FB_F32) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  if (numbers.empty() || int64_t(numbers.size()) != count || numbers.size() > kMaxArray) {
    return scope.Error("expects 1 to {} numbers, as many as {} holds, got {}", kMaxArray, MakeType(dtype, dims),
                       numbers.size());
  }
  Values parts;
  for (const double number : numbers) parts.push_back(Reshape(scope.Constant(number, dtype), {1}));
  return Reshape(parts.size() == 1 ? parts[0] : Concatenate(parts, 0), dims);
}

// What a setting that is a number or an array combines x with, as NumPy broadcasts it: a number for all of x, numbers
// along its last axis, or, with a shape, an array.
inline Value BroadcastArray(const Scope& scope, const std::vector<double>& numbers, const Dims& shape,
                            uint32_t dtype = FB_F32) {
  if (!shape.empty()) return ArrayOf(scope, numbers, shape, dtype);
  if (numbers.size() == 1) return scope.Constant(numbers[0], dtype);
  return ArrayOf(scope, numbers, {int64_t(numbers.size())}, dtype);
}

}  // namespace fusebox::sdk
