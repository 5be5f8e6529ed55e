// SPDX-License-Identifier: Apache-2.0
// The evaluator's families of ops, one source each. Inside graph/ only.
#pragma once
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/literal.h"

namespace fusebox::evaluate {

// What a kernel looks at. Types have been checked; `shape` is the output's.
struct Call {
  const Node& node;
  std::span<const Literal* const> inputs;
  Sizes shape;

  DType dtype() const { return node.type.dtype; }
  const Literal& in(size_t i) const { return *inputs[i]; }
};
using LiteralOr = absl::StatusOr<Literal>;

LiteralOr Source(const Call& call);
LiteralOr Elementwise(const Call& call);
LiteralOr Reduce(const Call& call);
LiteralOr MatMul(const Call& call);
LiteralOr Movement(const Call& call);
LiteralOr Gather(const Call& call);
LiteralOr Random(const Call& call);
// All results of a node with regions, which are evaluated as often as it says.
absl::StatusOr<std::vector<Literal>> Control(const Node& node, std::span<const Literal* const> operands, int64_t batch);

// Rows of `table` by number, in the shape given; zeros for a number that is none of a row.
Literal TakeRows(const Literal& table, const std::vector<int64_t>& rows, Sizes shape);

// ---- Indexing.

// How far apart neighbours lie along each axis of a dense array.
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

}  // namespace fusebox::evaluate
