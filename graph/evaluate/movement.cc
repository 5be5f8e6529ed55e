// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "fusebox/graph/evaluate/kernels.h"

namespace fusebox::evaluate {
namespace {

// Copies `part` into `whole`, which is as large but along one axis, from index `at` of that axis on.
void Insert(Literal& whole, const Literal& part, int64_t axis, int64_t at) {
  const Sizes strides = Strides(whole.shape());
  const size_t size = size_t(SizeOf(whole.dtype()));
  std::byte* to = whole.mutable_bytes().data() + size_t(at * strides[size_t(axis)]) * size;
  ForEach(part.shape(), strides, [&](int64_t linear, int64_t offset) {
    std::memcpy(to + size_t(offset) * size, part.bytes().data() + size_t(linear) * size, size);
  });
}

}  // namespace

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

LiteralOr Movement(const Call& call) {
  const Literal& x = call.in(0);
  const AttributeMap& attributes = call.node.attributes;
  const int64_t axis = attributes.Int("axis");
  switch (call.node.op) {
    case Op::kReshape:
      return x.Reshaped(call.shape);
    case Op::kBroadcast:
      return Stretched(x, call.shape);
    case Op::kTranspose: {
      const Sizes from = Strides(x.shape());
      Sizes strides;
      for (const int64_t a : attributes.List("permutation")) strides.push_back(from[size_t(a)]);
      return Strided(x, call.shape, strides);
    }
    case Op::kSlice: {
      const Sizes strides = Strides(x.shape());
      return Strided(x, call.shape, strides, attributes.Int("begin") * strides[size_t(axis)]);
    }
    case Op::kPad: {
      Literal out(call.dtype(), call.shape);
      Insert(out, x, axis, attributes.Int("before"));
      return out;
    }
    case Op::kConcatenate: {
      Literal out(call.dtype(), call.shape);
      int64_t at = 0;
      for (const Literal* part : call.inputs) {
        Insert(out, *part, axis, at);
        at += part->shape()[size_t(axis)];
      }
      return out;
    }
    default:
      return absl::UnimplementedError("the evaluator lacks this movement");
  }
}

}  // namespace fusebox::evaluate
