// SPDX-License-Identifier: Apache-2.0
// Rules about reductions, matrix products, and the sizes and indices that they need.
#include <algorithm>
#include <cstdint>

#include "fusebox/compiler/passes/simplify/rules.h"

namespace fusebox::simplify {
namespace {

// Whether a constant of this dtype can be the whole number. (It saturates, where sums wrap.)
bool Holds(DType dtype, double number) {
  if (IsFloat(dtype)) return true;
  return dtype == DType::kU8 ? number < 256 : IsInteger(dtype) && number <= INT32_MAX;
}

bool ReducesAxes(const Node& node) { return node.op == Op::kSum || node.op == Op::kReduceMax; }

// sum or maximum over axes of size 1, or over no axes = reshape x
NodeId ReduceNothing(Site at) {
  if (!ReducesAxes(at.node)) return 0;
  const Shape& shape = at.input(0).type.shape;
  const bool nothing =
      std::ranges::all_of(at.node.attributes.List("axes"), [&](int64_t a) { return shape[size_t(a)] == 1; });
  return nothing ? at.Reshape(at.node.inputs[0], at.node.type.shape) : 0;
}

// sum of x repeated k times = k * x;  maximum of x repeated = x
NodeId ReduceRepeated(Site at) {
  if (!ReducesAxes(at.node) || !at.InputIs(0, Op::kBroadcast)) return 0;
  const NodeId x = at.input(0).inputs[0];
  const Shape narrow = at.type_of(x).shape, wide = at.input(0).type.shape;
  const Ints& axes = at.node.attributes.List("axes");
  const size_t in_front = wide.size() - narrow.size();
  double copies = 1;
  Shape left = narrow;  // The shape of x without the axes that are folded.
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const size_t i = size_t(*axis);
    const bool repeated = i < in_front || narrow[i - in_front] == 1;
    if (!repeated || wide[i] <= 0) return 0;  // Not known, or none: the sum of nothing is 0.
    copies *= double(wide[i]);
    if (i >= in_front) left.erase(left.begin() + std::ptrdiff_t(i - in_front));
  }
  if (at.node.op == Op::kSum && !Holds(at.node.type.dtype, copies)) return 0;
  Shape result = wide;  // Without keepdims, to which x is stretched once folded.
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) result.erase(result.begin() + std::ptrdiff_t(*axis));
  NodeId value = at.Reshape(x, left);
  if (at.node.op == Op::kSum) value = at.Add(Op::kMultiply, {value, at.Constant(copies, at.node.type.dtype)});
  return at.Reshape(at.Stretch(value, result), at.node.type.shape);
}

// matmul(transpose a, b) = matmul(a, b) that reads a transposed; likewise b
NodeId MatMulOfTranspose(Site at) {
  if (at.node.info().kind != OpKind::kMatMul) return 0;
  for (size_t i = 0; i < 2; ++i) {
    if (!at.InputIs(i, Op::kTranspose) || at.input(i).attributes.List("permutation") != Ints{1, 0}) continue;
    const char* flag = i == 0 ? "transpose_a" : "transpose_b";
    AttributeMap attributes = at.node.attributes;
    attributes.Set(flag, !attributes.Flag(flag));
    std::vector<NodeId> inputs = at.node.inputs;
    inputs[i] = at.input(i).inputs[0];
    return at.Add(at.node.op, std::move(inputs), std::move(attributes));
  }
  return 0;
}

// Zeros of a shape, for a size or an index to look at instead of a tensor, which then need not exist.
bool IsShapeAlone(const Site& at, const Shape& shape) {
  const Node& input = at.input(0);
  return input.type.shape == shape && input.op == Op::kBroadcast && at.graph[input.inputs[0]].op == Op::kConstant;
}
NodeId ShapeAlone(Site& at, DType dtype, const Shape& shape) { return at.Stretch(at.Constant(0, dtype), shape); }

// extent of known axes = the number;  extent of others = extent of an axis of this size
NodeId ExtentOfShape(Site at) {
  if (at.node.op != Op::kExtent) return 0;
  Shape dims;
  for (const int64_t axis : at.node.attributes.List("axes")) dims.push_back(at.input(0).type.shape[size_t(axis)]);
  const std::optional<int64_t> size = SymbolicProduct(dims);
  if (!size) return 0;
  const DType dtype = at.node.type.dtype;
  if (*size >= 0) {
    return Holds(dtype, double(*size)) ? at.Constant(double(*size), dtype) : 0;
  }
  if (IsShapeAlone(at, {*size})) return 0;
  return at.Add(Op::kExtent, {ShapeAlone(at, dtype, {*size})}, Attribute("axes", Ints{0}));
}

// The index along one axis is the same along all others: iota = broadcast of an iota that has no others
NodeId IotaOfAxis(Site at) {
  if (at.node.op != Op::kIota) return 0;
  const int64_t axis = at.node.attributes.Int("axis");
  Shape alone(at.node.type.shape.begin() + axis, at.node.type.shape.end());
  std::fill(alone.begin() + 1, alone.end(), 1);
  if (IsShapeAlone(at, alone)) return 0;
  const NodeId shape = ShapeAlone(at, at.node.type.dtype, alone);
  return at.Instead(at.Add(Op::kIota, {shape}, Attribute("axis", int64_t{0})));
}

constexpr Rule kRules[] = {ReduceNothing, ReduceRepeated, MatMulOfTranspose, ExtentOfShape, IotaOfAxis};

}  // namespace

std::span<const Rule> ReductionRules() { return kRules; }

}  // namespace fusebox::simplify
