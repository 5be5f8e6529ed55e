// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/ops/evaluation.h"

#include <cstring>

namespace fusebox::evaluate {

Sizes Strides(const Sizes& shape) {
  Sizes strides(shape.size());
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

Literal Strided(const Literal& in, Sizes shape, const Sizes& strides, int64_t offset) {
  Literal out(in.dtype(), std::move(shape));
  const size_t size = size_t(SizeOf(in.dtype()));
  const std::byte* from = in.bytes().data();
  std::byte* to = out.mutable_bytes().data();
  ForEach(out.shape(), strides, [&](int64_t linear, int64_t at) {
    std::memcpy(to + size_t(linear) * size, from + size_t(offset + at) * size, size);
  });
  return out;
}

Literal Stretched(const Literal& in, const Sizes& shape) {
  if (in.shape() == shape) return in;
  const Sizes from = Strides(in.shape());
  Sizes strides(shape.size(), 0);
  const size_t shift = shape.size() - from.size();
  for (size_t axis = 0; axis < from.size(); ++axis) {
    if (in.shape()[axis] != 1) strides[axis + shift] = from[axis];
  }
  return Strided(in, shape, strides);
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

}  // namespace fusebox::evaluate
