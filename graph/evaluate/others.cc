// SPDX-License-Identifier: Apache-2.0
// The families of few ops: sources, matrix products, gather and scatter, random numbers.
#include <algorithm>
#include <cstring>

#include "fusebox/graph/evaluate/kernels.h"
#include "fusebox/graph/philox.h"

namespace fusebox::evaluate {
namespace {

Literal Extent(const Call& call) {
  int64_t extent = 1;
  for (const int64_t axis : call.node.attributes.List("axes")) extent *= call.in(0).shape()[size_t(axis)];
  return WithDType(call.dtype(), [&](auto t) { return Literal::Scalar(CastTo<decltype(t), int64_t>(extent)); });
}

Literal Iota(const Call& call) {
  const size_t axis = size_t(call.node.attributes.Int("axis"));
  Literal out(call.dtype(), call.shape);
  const int64_t stride = Strides(call.shape)[axis], size = call.shape[axis];
  for (int64_t i = 0; i < out.size(); ++i) out.mutable_values<int32_t>()[size_t(i)] = int32_t(i / stride % size);
  return out;
}

}  // namespace

LiteralOr Source(const Call& call) {
  switch (call.node.op) {
    case Op::kConstant: {
      const double value = call.node.attributes.Float("value");
      return Literal::FromDoubles(call.dtype(), {}, {&value, 1});
    }
    case Op::kExtent:
      return Extent(call);
    case Op::kIota:
      return Iota(call);
    default:
      return absl::UnimplementedError("the evaluator lacks this source");
  }
}

LiteralOr MatMul(const Call& call) {
  const bool ta = call.node.attributes.Flag("transpose_a"), tb = call.node.attributes.Flag("transpose_b");
  const std::vector<double> a = call.in(0).ToDoubles(), b = call.in(1).ToDoubles();
  const size_t n = size_t(call.shape[0]), m = size_t(call.shape[1]), k = size_t(call.in(0).shape()[ta ? 0 : 1]);
  std::vector<double> y(n * m);
  for (size_t i = 0; i < n; ++i) {
    for (size_t l = 0; l < k; ++l) {
      const double x = a[ta ? l * n + i : i * k + l];
      for (size_t j = 0; j < m; ++j) y[i * m + j] += x * b[tb ? j * k + l : l * m + j];
    }
  }
  return Literal::FromDoubles(call.dtype(), call.shape, y);
}

Literal TakeRows(const Literal& table, const std::vector<int64_t>& rows, Sizes shape) {
  Literal out(table.dtype(), std::move(shape));
  if (rows.empty() || out.size() == 0) return out;
  const size_t bytes = out.bytes().size() / rows.size();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= table.shape()[0]) continue;
    std::memcpy(out.mutable_bytes().data() + i * bytes, table.bytes().data() + size_t(rows[i]) * bytes, bytes);
  }
  return out;
}

LiteralOr Gather(const Call& call) {
  if (call.node.op == Op::kGather) return TakeRows(call.in(0), call.in(1).ToInts(), call.shape);
  if (call.node.op != Op::kScatterAdd) return absl::UnimplementedError("the evaluator lacks this gather");
  const std::vector<int64_t> indices = call.in(0).ToInts();
  Literal out(call.dtype(), call.shape);
  WithDType(call.dtype(), [&](auto t) {
    using T = decltype(t);
    using Total = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    const auto updates = call.in(1).values<T>();
    std::vector<Total> totals(size_t(out.size()));
    const size_t width = indices.empty() ? 0 : updates.size() / indices.size();
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] < 0 || indices[i] >= call.shape[0]) continue;
      for (size_t j = 0; j < width; ++j) totals[size_t(indices[i]) * width + j] += Total(updates[i * width + j]);
    }
    for (size_t i = 0; i < totals.size(); ++i) out.mutable_values<T>()[i] = T(totals[i]);
  });
  return out;
}

LiteralOr Random(const Call& call) {
  const int64_t seed = call.in(0).values<int64_t>()[0], step = call.in(1).values<int64_t>()[0];
  const int64_t stream = call.node.attributes.Int("stream");
  Literal out(call.dtype(), call.shape);
  for (int64_t i = 0; i < out.size(); ++i) {
    const PhiloxCounter words = RandomWords(seed, step, stream, uint64_t(i));
    if (call.dtype() == DType::kF32) {
      out.mutable_values<float>()[size_t(i)] = UniformF32(words);
    } else {
      out.mutable_values<double>()[size_t(i)] = UniformF64(words);
    }
  }
  return out;
}

}  // namespace fusebox::evaluate
