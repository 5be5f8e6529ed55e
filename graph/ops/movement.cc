// SPDX-License-Identifier: Apache-2.0
// Movement: elements copied to other places, or zeros put between them.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "fusebox/graph/ops/family.h"

namespace fusebox {
namespace {

TypeOr Reshaped(const InferContext& c) {
  const Ints& dims = c.attributes.List("dims");
  Type out{c.inputs[0].dtype, Shape(dims.begin(), dims.end())};
  const auto from = SymbolicProduct(c.inputs[0].shape), to = SymbolicProduct(out.shape);
  if (from && to && *from == *to && dims.size() <= FB_MAX_RANK) return out;
  return Refuse("{} does not have the size of {}", ToString(c.inputs[0]), ToString(out.shape));
}

TypeOr Stretched(const InferContext& c) {
  const Ints& dims = c.attributes.List("dims");
  Type out{c.inputs[0].dtype, Shape(dims.begin(), dims.end())};
  if (dims.size() <= FB_MAX_RANK && BroadcastsTo(c.inputs[0].shape, out.shape)) return out;
  return Refuse("{} does not broadcast to {}", ToString(c.inputs[0]), ToString(out.shape));
}

TypeOr Permuted(const InferContext& c) {
  const Ints& permutation = c.attributes.List("permutation");
  Ints sorted = permutation;
  std::ranges::sort(sorted);
  Ints identity(c.inputs[0].shape.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (sorted != identity)
    return Refuse("[{}] does not permute the axes of {}", fmt::join(permutation, ", "), ToString(c.inputs[0]));
  Type out{c.inputs[0].dtype, {}};
  for (const int64_t axis : permutation) out.shape.push_back(c.inputs[0].shape[size_t(axis)]);
  return out;
}

TypeOr Sliced(const InferContext& c) {
  const absl::StatusOr<int64_t> axis = NormalAxis(c.attributes.Int("axis"), c.inputs[0]);
  if (!axis.ok()) return axis.status();
  const int64_t begin = c.attributes.Int("begin"), end = c.attributes.Int("end");
  Type out = c.inputs[0];
  int64_t& d = out.shape[size_t(*axis)];
  if (d < 0) return Refuse("axis {} of {} has no fixed size", *axis, ToString(c.inputs[0]));
  if (begin < 0 || begin > end || end > d) {
    return Refuse("[{}, {}) does not lie in axis {} of {}", begin, end, *axis, ToString(c.inputs[0]));
  }
  d = end - begin;
  return out;
}

TypeOr Padded(const InferContext& c) {
  const absl::StatusOr<int64_t> axis = NormalAxis(c.attributes.Int("axis"), c.inputs[0]);
  if (!axis.ok()) return axis.status();
  const int64_t before = c.attributes.Int("before"), after = c.attributes.Int("after");
  Type out = c.inputs[0];
  int64_t& d = out.shape[size_t(*axis)];
  if (d < 0) return Refuse("axis {} of {} has no fixed size", *axis, ToString(c.inputs[0]));
  if (before < 0 || after < 0 || __builtin_add_overflow(d, before, &d) || __builtin_add_overflow(d, after, &d)) {
    return Refuse("cannot pad by {} and {}", before, after);
  }
  return out;
}

TypeOr Joined(const InferContext& c) {
  const absl::StatusOr<int64_t> axis = NormalAxis(c.attributes.Int("axis"), c.inputs[0]);
  if (!axis.ok()) return axis.status();
  Type out = c.inputs[0];
  for (const Type& next : c.inputs.subspan(1)) {
    Shape rest = next.shape;
    if (rest.size() == out.shape.size()) rest[size_t(*axis)] = out.shape[size_t(*axis)];
    if (next.dtype != out.dtype || rest != out.shape) {
      return Refuse("{} and {} differ in more than axis {}", ToString(c.inputs[0]), ToString(next), *axis);
    }
    if (out.shape[size_t(*axis)] < 0 || next.shape[size_t(*axis)] < 0) {
      return Refuse("axis {} of {} has no fixed size", *axis, ToString(next));
    }
    out.shape[size_t(*axis)] += next.shape[size_t(*axis)];
  }
  return out;
}

// ---- Evaluation.

using evaluate::LiteralOr;

// Copies `part` into `whole`, from index `at` of one axis on. Their other axes agree.
void Insert(Literal& whole, const Literal& part, int64_t axis, int64_t at) {
  const Sizes strides = evaluate::Strides(whole.shape());
  const size_t size = size_t(SizeOf(whole.dtype()));
  std::byte* to = whole.mutable_bytes().data() + size_t(at * strides[size_t(axis)]) * size;
  evaluate::ForEach(part.shape(), strides, [&](int64_t linear, int64_t offset) {
    std::memcpy(to + size_t(offset) * size, part.bytes().data() + size_t(linear) * size, size);
  });
}

LiteralOr TransposeOf(const EvaluateContext& c) {
  const Sizes from = evaluate::Strides(c.in(0).shape());
  Sizes strides;
  for (const int64_t axis : c.node.attributes.List("permutation")) strides.push_back(from[size_t(axis)]);
  return evaluate::Strided(c.in(0), c.shape, strides);
}
LiteralOr SliceOf(const EvaluateContext& c) {
  const Sizes strides = evaluate::Strides(c.in(0).shape());
  const int64_t stride = strides[size_t(c.node.attributes.Int("axis"))];
  return evaluate::Strided(c.in(0), c.shape, strides, c.node.attributes.Int("begin") * stride);
}
LiteralOr Padding(const EvaluateContext& c) {
  Literal out(c.dtype(), c.shape);
  Insert(out, c.in(0), c.node.attributes.Int("axis"), c.node.attributes.Int("before"));
  return out;
}
LiteralOr Concatenation(const EvaluateContext& c) {
  const int64_t axis = c.node.attributes.Int("axis");
  Literal out(c.dtype(), c.shape);
  int64_t at = 0;
  for (const Literal* part : c.inputs) {
    Insert(out, *part, axis, at);
    at += part->shape()[size_t(axis)];
  }
  return out;
}

// ---- Which elements compiled code reads.

AxisMap AllOf(const Type& type) {
  AxisMap map{.axes = {}, .begins = std::vector<int64_t>(type.shape.size())};
  for (int64_t axis = 0; axis < type.rank(); ++axis) map.axes.push_back(axis);
  return map;
}
AxisMap AxesOfTranspose(const Node& node) {
  AxisMap map = AllOf(node.type);
  map.axes = node.attributes.List("permutation");
  return map;
}
AxisMap AxesOfSlice(const Node& node) {
  AxisMap map = AllOf(node.type);
  map.begins[size_t(node.attributes.Int("axis"))] = node.attributes.Int("begin");
  return map;
}

constexpr OpInfo kOps[] = {
    {.op = Op::kReshape,
     .name = "reshape",
     .kind = OpKind::kMovement,
     .arity = 1,
     .attributes = {{"dims", FB_INTS}},
     .infer = Reshaped,
     .vjp = [](const VjpContext& c) -> Values { return {Reshape(c.dy, c.inputs[0].dims())}; },
     .evaluate = [](const EvaluateContext& c) -> LiteralOr { return c.in(0).Reshaped(c.shape); },
     .access = Access::kSameMemory,
     .accuracy = Accuracy::kExact,
     .meaning = "The same elements in row-major order under another shape."},
    {.op = Op::kBroadcast,
     .name = "broadcast",
     .kind = OpKind::kMovement,
     .arity = 1,
     .attributes = {{"dims", FB_INTS}},
     .infer = Stretched,
     .vjp = [](const VjpContext& c) -> Values { return {SumTo(c.dy, c.inputs[0].dims())}; },
     .evaluate = [](const EvaluateContext& c) -> LiteralOr { return evaluate::Stretched(c.in(0), c.shape); },
     .cost = Cost::kLess,
     .accuracy = Accuracy::kExact,
     .meaning = "Axes of size 1, and new ones in front, repeated: NumPy's broadcast_to."},
    {.op = Op::kTranspose,
     .name = "transpose",
     .kind = OpKind::kMovement,
     .arity = 1,
     .attributes = {{"permutation", FB_INTS}},
     .infer = Permuted,
     .vjp = [](const VjpContext& c) -> Values {
       const Ints& permutation = c.node.attributes.List("permutation");
       Dims inverse(permutation.size());
       for (size_t i = 0; i < permutation.size(); ++i) inverse[size_t(permutation[i])] = int64_t(i);
       return {Transpose(c.dy, inverse)};
     },
     .evaluate = TransposeOf,
     .access = Access::kElsewhere,
     .accuracy = Accuracy::kExact,
     .axis_map = AxesOfTranspose,
     .meaning = "Axis i of the output is axis permutation[i] of the input."},
    {.op = Op::kSlice,
     .name = "slice",
     .kind = OpKind::kMovement,
     .arity = 1,
     .attributes = {{"axis", FB_INT}, {"begin", FB_INT}, {"end", FB_INT}},
     .infer = Sliced,
     .vjp = [](const VjpContext& c) -> Values {
       const int64_t axis = c.node.attributes.Int("axis"), end = c.node.attributes.Int("end");
       return {Pad(c.dy, axis, c.node.attributes.Int("begin"), c.inputs[0].dim(axis) - end)};
     },
     .evaluate = SliceOf,
     .access = Access::kElsewhere,
     .accuracy = Accuracy::kExact,
     .axis_map = AxesOfSlice,
     .meaning = "Indices [begin, end) of one axis of fixed size."},
    {.op = Op::kPad,
     .name = "pad",
     .kind = OpKind::kMovement,
     .arity = 1,
     .attributes = {{"axis", FB_INT}, {"before", FB_INT}, {"after", FB_INT}},
     .infer = Padded,
     .vjp = [](const VjpContext& c) -> Values {
       const int64_t axis = c.node.attributes.Int("axis"), before = c.node.attributes.Int("before");
       return {Slice(c.dy, axis, before, before + c.inputs[0].dim(axis))};
     },
     .evaluate = Padding,
     .access = Access::kLoopNest,
     .accuracy = Accuracy::kExact,
     .meaning = "Zeros put before and after, along one axis of fixed size."},
    {.op = Op::kConcatenate,
     .name = "concatenate",
     .kind = OpKind::kMovement,
     .arity = -1,
     .attributes = {{"axis", FB_INT}},
     .infer = Joined,
     .vjp =
         [](const VjpContext& c) {
           const int64_t axis = c.node.attributes.Int("axis");
           Values parts;
           int64_t begin = 0;
           for (const Value& input : c.inputs) {
             parts.push_back(Slice(c.dy, axis, begin, begin + input.dim(axis)));
             begin += input.dim(axis);
           }
           return parts;
         },
     .evaluate = Concatenation,
     .access = Access::kLoopNest,
     .accuracy = Accuracy::kExact,
     .meaning = "The inputs one after another along one axis of fixed size."},
};

}  // namespace

std::span<const OpInfo> MovementOps() { return kOps; }

}  // namespace fusebox
