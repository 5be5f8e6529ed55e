// SPDX-License-Identifier: Apache-2.0
// What the evaluation in the op tables is written with: its arguments, and loops over arrays of any rank.
#pragma once
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/literal.h"

namespace fusebox {

// The node, the values of its inputs, and the output's shape for this batch size. Types have been checked.
struct EvaluateContext {
  const Node& node;
  std::span<const Literal* const> inputs;
  Sizes shape;
  int64_t batch;

  DType dtype() const { return node.type.dtype; }
  const Literal& in(size_t i) const { return *inputs[i]; }
};

namespace evaluate {

using LiteralOr = absl::StatusOr<Literal>;

// Rows of `table` by number, in the shape given; zeros for a number that the table does not have.
Literal TakeRows(const Literal& table, const std::vector<int64_t>& rows, Sizes shape);

// The distance between neighbours along each axis of a dense array, in elements.
Sizes Strides(const Sizes& shape);
// out[i, j, ...] = in[offset + i strides[0] + j strides[1] + ...]
Literal Strided(const Literal& in, Sizes shape, const Sizes& strides, int64_t offset = 0);
// NumPy's broadcast_to.
Literal Stretched(const Literal& in, const Sizes& shape);

// Calls f(linear, offset) for each element of a shape in order, where offset is the dot product of index and strides.
template <class F>
void ForEach(const Sizes& shape, const Sizes& strides, F&& f) {
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  Sizes index(shape.size());
  int64_t offset = 0;
  for (int64_t linear = 0; linear < size; ++linear) {
    f(linear, offset);
    for (size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace evaluate
}  // namespace fusebox
