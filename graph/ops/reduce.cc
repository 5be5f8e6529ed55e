// SPDX-License-Identifier: Apache-2.0
// Reductions: whole axes folded into one element.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "fusebox/graph/ops/family.h"

namespace fusebox {
namespace {

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

// ---- Evaluation.

using evaluate::LiteralOr;

// Strides into the output for each axis of the input: 0 along the reduced ones.
Sizes TargetStrides(const Sizes& shape, const Ints& axes) {
  Sizes strides(shape.size(), 1);
  for (const int64_t axis : axes) strides[size_t(axis)] = 0;
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (strides[axis] == 0) continue;
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

LiteralOr SumAlong(const EvaluateContext& c) {
  const Literal& x = c.in(0);
  Literal out(c.dtype(), c.shape);
  WithDType(c.dtype(), [&](auto t) {
    using T = decltype(t);
    using Total = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    std::vector<Total> totals(size_t(out.size()));
    evaluate::ForEach(x.shape(), TargetStrides(x.shape(), c.node.attributes.List("axes")),
                      [&](int64_t linear, int64_t to) { totals[size_t(to)] += Total(x.values<T>()[size_t(linear)]); });
    for (size_t i = 0; i < totals.size(); ++i) out.mutable_values<T>()[i] = T(totals[i]);
  });
  return out;
}

LiteralOr MaxAlong(const EvaluateContext& c) {
  const Literal& x = c.in(0);
  Literal out(c.dtype(), c.shape);
  WithDType(c.dtype(), [&](auto t) {
    using T = decltype(t);
    using Limits = std::numeric_limits<T>;
    const auto y = out.mutable_values<T>();
    for (T& v : y) v = Limits::has_infinity ? T(-Limits::infinity()) : Limits::lowest();
    evaluate::ForEach(x.shape(), TargetStrides(x.shape(), c.node.attributes.List("axes")),
                      [&](int64_t linear, int64_t to) {
                        const T v = x.values<T>()[size_t(linear)];
                        T& top = y[size_t(to)];
                        if constexpr (std::is_floating_point_v<T>) {
                          if (std::isnan(v) || (v == top && !std::signbit(v))) top = v;
                        }
                        if (v > top) top = v;
                      });
  });
  return out;
}

LiteralOr ArgMaxAlong(const EvaluateContext& c) {
  const Literal& x = c.in(0);
  const int64_t axis = c.node.attributes.Int("axis");
  Literal out(c.dtype(), c.shape);
  const auto index = out.mutable_values<int32_t>();
  const int64_t stride = evaluate::Strides(x.shape())[size_t(axis)], size = x.shape()[size_t(axis)];
  WithDType(x.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> tops(index.size());
    evaluate::ForEach(x.shape(), TargetStrides(x.shape(), {axis}), [&](int64_t linear, int64_t to) {
      const T v = x.values<T>()[size_t(linear)];
      const int64_t i = linear / stride % size;
      const T top = i > 0 ? tops[size_t(to)] : v;
      // `x != x` says NaN.
      if (i > 0 && !(v > top || (v != v && top == top))) return;
      tops[size_t(to)] = v;
      index[size_t(to)] = int32_t(i);
    });
  });
  return out;
}

constexpr OpInfo kOps[] = {
    {.op = Op::kSum,
     .name = "sum",
     .kind = OpKind::kReduce,
     .arity = 1,
     .attributes = {{"axes", FB_INTS}, {"keepdims", FB_FLAG, false}},
     .infer = WithoutAxes,
     .vjp = [](const VjpContext& c) -> Values { return {Broadcast(Stretch(c, c.dy), c.inputs[0].dims())}; },
     .evaluate = SumAlong,
     .access = Access::kLoopNest,
     .accuracy = Accuracy::kAnyOrder,
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
     .evaluate = MaxAlong,
     .access = Access::kLoopNest,
     .accuracy = Accuracy::kExact,
     .meaning = "The greatest along the axes: NaN if any is NaN; of nothing, -inf or the least integer."},
    {.op = Op::kArgMax,
     .name = "argmax",
     .kind = OpKind::kReduce,
     .arity = 1,
     .attributes = {{"axis", FB_INT}},
     .infer = IndexOf,
     .evaluate = ArgMaxAlong,
     .access = Access::kLoopNest,
     .gives_index = true,
     .meaning = "The index of the greatest along the axis, the first one of equals; NaN counts as greatest."},
};

}  // namespace

std::span<const OpInfo> ReduceOps() { return kOps; }

}  // namespace fusebox
