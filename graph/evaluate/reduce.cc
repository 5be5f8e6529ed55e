// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <type_traits>

#include "fusebox/graph/evaluate/kernels.h"

namespace fusebox::evaluate {
namespace {

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

Literal Sum(const Call& call) {
  const Literal& x = call.in(0);
  Literal out(call.dtype(), call.shape);
  WithDType(call.dtype(), [&](auto t) {
    using T = decltype(t);
    using Total = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    std::vector<Total> totals(size_t(out.size()));
    ForEach(x.shape(), TargetStrides(x.shape(), call.node.attributes.List("axes")),
            [&](int64_t linear, int64_t to) { totals[size_t(to)] += Total(x.values<T>()[size_t(linear)]); });
    for (size_t i = 0; i < totals.size(); ++i) out.mutable_values<T>()[i] = T(totals[i]);
  });
  return out;
}

Literal Max(const Call& call) {
  const Literal& x = call.in(0);
  Literal out(call.dtype(), call.shape);
  WithDType(call.dtype(), [&](auto t) {
    using T = decltype(t);
    using Limits = std::numeric_limits<T>;
    const auto y = out.mutable_values<T>();
    for (T& v : y) v = Limits::has_infinity ? T(-Limits::infinity()) : Limits::lowest();
    ForEach(x.shape(), TargetStrides(x.shape(), call.node.attributes.List("axes")), [&](int64_t linear, int64_t to) {
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

Literal ArgMax(const Call& call) {
  const Literal& x = call.in(0);
  const int64_t axis = call.node.attributes.Int("axis");
  Literal out(call.dtype(), call.shape);
  const auto index = out.mutable_values<int32_t>();
  const int64_t stride = Strides(x.shape())[size_t(axis)], size = x.shape()[size_t(axis)];
  WithDType(x.dtype(), [&](auto t) {
    using T = decltype(t);
    std::vector<T> tops(index.size());
    ForEach(x.shape(), TargetStrides(x.shape(), {axis}), [&](int64_t linear, int64_t to) {
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

}  // namespace

LiteralOr Reduce(const Call& call) {
  switch (call.node.op) {
    case Op::kSum:
      return Sum(call);
    case Op::kReduceMax:
      return Max(call);
    case Op::kArgMax:
      return ArgMax(call);
    default:
      return absl::UnimplementedError("the evaluator lacks this reduction");
  }
}

}  // namespace fusebox::evaluate
