// SPDX-License-Identifier: Apache-2.0
// Projects x, along an axis, to the nearest point whose elements are at least 0 and add up to 1: a softmax with true
// zeros.
// With k(i) = #{j : x[j] >= x[i]} and s(i) the sum of these x[j], i is in the support if 1 + k(i) x[i] > s(i). This
// needs no sort, but compares all pairs along the axis.
// Source: Martins, Astudillo (2016), From Softmax to Sparsemax, algorithm 1.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Sparsemax final : public sdk::Activation {
 public:
  explicit Sparsemax(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects [batch, ..., classes], got {}", x.type());
    const Dims dims = x.dims();
    const int64_t rank = x.rank(), axis = axis_ < 0 ? axis_ + rank : axis_;
    if (x.dim(axis_) < 1) return scope.Error("expects axis {} to have a fixed size, got {}", axis_, x.type());
    Dims down = dims, across = dims;  // [..., i, 1, ...] and [..., 1, j, ...]
    down.insert(down.begin() + axis + 1, 1);
    across.insert(across.begin() + axis, 1);
    const Value xj = Reshape(x, across);
    const Value above = LessEqual(Reshape(x, down), xj);
    const Value k = Reshape(Sum(Cast(above, x.dtype()), {axis + 1}), dims);
    const Value s = Reshape(Sum(Select(above, xj, 0), {axis + 1}), dims);
    const Value in_support = Cast(Less(s, k * x + 1), x.dtype());
    const Value tau = (Sum(in_support * x, {axis}, true) - 1) / Sum(in_support, {axis}, true);
    return Relu(x - tau);
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(Sparsemax, {.id = "fusebox/sparsemax",
                           .doc = "The nearest probabilities to x along an axis; many are 0.",
                           .attributes = {sdk::Int("axis", -1).Doc("axis along which the results add up to 1")}});

}  // namespace
}  // namespace fusebox
