// SPDX-License-Identifier: Apache-2.0
// Rules about ops that only move elements.
#include <algorithm>
#include <numeric>

#include "fusebox/compiler/passes/simplify/rules.h"

namespace fusebox::simplify {
namespace {

// reshape to the same shape, transpose to the same order, slice of all, pad by nothing, concatenate one value: x
NodeId Stays(Site at) {
  if (at.node.info().kind != OpKind::kMovement || at.node.inputs.size() != 1) return 0;
  if (at.node.op == Op::kTranspose && !std::ranges::is_sorted(at.node.attributes.List("permutation"))) return 0;
  // The others keep the shape only if they keep every element where it is.
  return at.input(0).type == at.node.type ? at.node.inputs[0] : 0;
}

// reshape of reshape x = reshape x
NodeId ReshapeOfReshape(Site at) {
  if (at.node.op != Op::kReshape || !at.InputIs(0, Op::kReshape)) return 0;
  return at.Reshape(at.input(0).inputs[0], at.node.type.shape);
}

// f(reshape a, reshape b) = reshape f(a, b), where a and b have one shape: reshapes go down, and meet others
NodeId ElementwiseOfReshaped(Site at) {
  if (at.node.info().kind != OpKind::kElementwise) return 0;
  std::vector<NodeId> inputs = at.node.inputs;
  std::optional<Shape> shape;
  for (NodeId& input : inputs) {
    const Node& value = at.graph[input];
    if (value.type.rank() == 0) continue;
    if (value.op != Op::kReshape || value.type.shape != at.node.type.shape) return 0;
    input = value.inputs[0];
    const Shape& from = at.type_of(input).shape;
    if (shape.value_or(from) != from) return 0;
    shape = from;
  }
  if (!shape) return 0;
  return at.Reshape(at.Add(at.node.op, std::move(inputs), at.node.attributes), at.node.type.shape);
}

// transpose of transpose x = transpose x by both permutations in turn
NodeId TransposeOfTranspose(Site at) {
  if (at.node.op != Op::kTranspose || !at.InputIs(0, Op::kTranspose)) return 0;
  const Ints inner = at.input(0).attributes.List("permutation");
  Ints both;
  for (const int64_t axis : at.node.attributes.List("permutation")) both.push_back(inner[size_t(axis)]);
  return at.Add(Op::kTranspose, {at.input(0).inputs[0]}, Attribute("permutation", std::move(both)));
}

// A transpose that moves nothing but axes of size 1 = a reshape, which costs nothing
NodeId TransposeOfOnes(Site at) {
  if (at.node.op != Op::kTranspose) return 0;
  const Shape& shape = at.input(0).type.shape;
  Ints moved;
  for (const int64_t axis : at.node.attributes.List("permutation")) {
    if (shape[size_t(axis)] != 1) moved.push_back(axis);
  }
  return std::ranges::is_sorted(moved) ? at.Reshape(at.node.inputs[0], at.node.type.shape) : 0;
}

// slice of slice x = slice x, along one axis
NodeId SliceOfSlice(Site at) {
  if (at.node.op != Op::kSlice || !at.InputIs(0, Op::kSlice)) return 0;
  const AttributeMap &outer = at.node.attributes, &inner = at.input(0).attributes;
  if (outer.Int("axis") != inner.Int("axis")) return 0;
  AttributeMap both = outer;
  both.Set("begin", inner.Int("begin") + outer.Int("begin"));
  both.Set("end", inner.Int("begin") + outer.Int("end"));
  return at.Add(Op::kSlice, {at.input(0).inputs[0]}, std::move(both));
}

constexpr Rule kRules[] = {Stays,           ReshapeOfReshape, ElementwiseOfReshaped, TransposeOfTranspose,
                           TransposeOfOnes, SliceOfSlice};

}  // namespace

std::span<const Rule> MovementRules() { return kRules; }

}  // namespace fusebox::simplify
