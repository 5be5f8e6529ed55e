// SPDX-License-Identifier: Apache-2.0
// Reductions: whole axes folded into one element.
#include <algorithm>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/ops/shape_rules.h"

namespace fusebox {
namespace {

using TypeOr = absl::StatusOr<Type>;

TypeOr WithoutAxes(const InferContext& c) {
  const Type& in = c.inputs[0];
  if (in.dtype == DType::kBool) return Refuse("expects numbers, got {}", ToString(in));
  const Ints& axes = c.attributes.List("axes");
  std::vector<bool> reduced(in.shape.size());
  for (const int64_t axis : axes) {
    const absl::StatusOr<int64_t> a = NormalAxis(axis, in);
    if (!a.ok()) return a.status();
    if (reduced[size_t(*a)]) return Refuse("axis {} is given twice", axis);
    reduced[size_t(*a)] = true;
  }
  Type out{in.dtype, {}};
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) out.shape.push_back(in.shape[i]);
    if (reduced[i] && c.attributes.Flag("keepdims")) out.shape.push_back(1);
  }
  return out;
}

TypeOr IndexOf(const InferContext& c) {
  const absl::StatusOr<int64_t> axis = NormalAxis(c.attributes.Int("axis"), c.inputs[0]);
  if (!axis.ok()) return axis.status();
  if (c.inputs[0].shape[size_t(*axis)] == 0) return Refuse("axis {} of {} is empty", *axis, ToString(c.inputs[0]));
  Type out{DType::kI32, c.inputs[0].shape};
  out.shape.erase(out.shape.begin() + *axis);
  return out;
}

// A reduced value with its axes put back, each of size 1, so that it broadcasts against the input.
Value Stretch(const VjpContext& c, Value reduced) {
  Dims dims = c.inputs[0].dims();
  for (const int64_t axis : c.node.attributes.List("axes")) dims[size_t(axis)] = 1;
  return reduced.dims() == dims ? reduced : Reshape(reduced, dims);
}

constexpr OpInfo kOps[] = {
    {.op = Op::kSum,
     .name = "sum",
     .kind = OpKind::kReduce,
     .arity = 1,
     .attributes = {{"axes", FB_INTS}, {"keepdims", FB_FLAG, false}},
     .infer = WithoutAxes,
     .vjp = [](const VjpContext& c) -> Values { return {Broadcast(Stretch(c, c.dy), c.inputs[0].dims())}; },
     .meaning = "The sum along the axes; 0 where there is nothing to add. Integers wrap."},
    {.op = Op::kReduceMax,
     .name = "reduce_max",
     .kind = OpKind::kReduce,
     .arity = 1,
     .attributes = {{"axes", FB_INTS}, {"keepdims", FB_FLAG, false}},
     .infer = WithoutAxes,
     // Equal greatest elements share the gradient, as in Keras.
     .vjp = [](const VjpContext& c) -> Values {
       const Value x = c.inputs[0], hit = Cast(Equal(x, Stretch(c, c.output)), x.dtype());
       const Value count = Sum(hit, c.node.attributes.List("axes"), true);
       return {hit * (Stretch(c, c.dy) / count)};
     },
     .meaning = "The greatest along the axes: NaN if any is NaN; of nothing, -inf or the least integer."},
    {.op = Op::kArgMax,
     .name = "argmax",
     .kind = OpKind::kReduce,
     .arity = 1,
     .attributes = {{"axis", FB_INT}},
     .infer = IndexOf,
     .meaning = "The index of the greatest along the axis, the first one of equals; NaN counts as greatest."},
};

}  // namespace

std::span<const OpInfo> ReduceOps() { return kOps; }

}  // namespace fusebox
