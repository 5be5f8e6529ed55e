// SPDX-License-Identifier: Apache-2.0
// Encodes category indices as vectors with an element for each category, in Keras's modes:
//
//     one_hot     x [N, ..., a] --> [N, ..., a, depth], x [N, ..., 1] --> [N, ..., depth]   1 at the index
//     multi_hot   x [N, length, ...] --> [N, ..., depth]   1 where any of the sample's indices is
//     count       likewise                                 how many of them are there, or the sum of their weights
//
// An index outside [0, depth), or that is not an integer, belongs to no category.
#pragma once
#include <string>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {

// `numbers` may have any dtype; `weights` has their shape or is the error value. multi_hot rounds towards zero.
inline Value EncodeCategories(sdk::Scope& scope, Value numbers, const std::string& mode, int64_t depth, Value weights) {
  if (!numbers.ok()) return numbers;
  if (numbers.rank() < 1 || numbers.rank() >= FB_MAX_RANK) {
    return scope.Error("expects input [batch, ...] of rank at most {}, got {}", FB_MAX_RANK - 1, numbers.type());
  }
  if (mode != "one_hot" && numbers.rank() < 2) {
    return scope.Error("expects input [batch, length] for output_mode {}, got {}", mode, numbers.type());
  }
  const uint32_t dtype = numbers.dtype();
  Value labels = dtype == FB_I32 ? numbers : Cast(numbers, FB_I32);
  if (mode != "multi_hot" && dtype != FB_I32) labels = Select(Equal(Cast(labels, dtype), numbers), labels, -1);
  if (mode == "one_hot") {
    Dims dims = numbers.dims();
    if (dims.size() > 1 && dims.back() == 1) {
      dims.pop_back();
      labels = Reshape(labels, dims);
    }
    return OneHot(labels, depth);
  }
  const Value hot = OneHot(labels, depth);
  if (mode == "multi_hot") return ReduceMax(hot, {1});
  if (!weights.ok()) return Sum(hot, {1});
  Dims column = weights.dims();
  column.push_back(1);
  return Sum(hot * Reshape(weights, column), {1});
}

}  // namespace fusebox
