// SPDX-License-Identifier: Apache-2.0
// Rules that compute repeated values once and repeat them as late as possible. Most broadcasts end up in an elementwise
// op that broadcasts its operands anyway.
#include <algorithm>

#include "fusebox/compiler/passes/simplify/rules.h"

namespace fusebox::simplify {
namespace {

bool AddsOnlyOnesInFront(const Shape& from, const Shape& to) {
  if (from.size() >= to.size()) return false;
  const auto middle = to.end() - std::ptrdiff_t(from.size());
  return std::all_of(to.begin(), middle, [](int64_t d) { return d == 1; }) &&
         std::equal(middle, to.end(), from.begin());
}

// f(broadcast a, b) = f(a, b), or broadcast f(a, b) if no operand is as large as the result
NodeId ElementwiseOfStretched(Site at) {
  if (at.node.info().kind != OpKind::kElementwise) return 0;
  std::vector<NodeId> narrow;
  for (const NodeId input : at.node.inputs) narrow.push_back(Unstretched(at.graph, input));
  if (narrow == at.node.inputs) return 0;
  return at.Instead(at.Add(at.node.op, std::move(narrow), at.node.attributes));
}

// broadcast of broadcast x = broadcast x
NodeId BroadcastOfStretched(Site at) {
  if (at.node.op != Op::kBroadcast) return 0;
  const NodeId x = Unstretched(at.graph, at.node.inputs[0]);
  return x != at.node.inputs[0] ? at.Instead(x) : 0;
}

// If nothing is repeated, broadcast x = reshape x, which costs nothing
NodeId BroadcastThatRepeatsNothing(Site at) {
  if (at.node.op != Op::kBroadcast) return 0;
  const Shape &from = at.input(0).type.shape, &to = at.node.type.shape;
  if (from != to && !AddsOnlyOnesInFront(from, to)) return 0;
  return at.Reshape(at.node.inputs[0], to);
}

// One element repeated everywhere stays the same wherever its copies move: reshape broadcast x = broadcast x
NodeId MovementOfOneElement(Site at) {
  if (at.node.op != Op::kReshape && at.node.op != Op::kTranspose && at.node.op != Op::kSlice) return 0;
  if (!at.InputIs(0, Op::kBroadcast)) return 0;
  const NodeId x = at.input(0).inputs[0];
  if (!IsOneElement(at.type_of(x))) return 0;
  return at.Instead(at.Reshape(x, {}));
}

constexpr Rule kRules[] = {ElementwiseOfStretched, BroadcastOfStretched, BroadcastThatRepeatsNothing,
                           MovementOfOneElement};

}  // namespace

std::span<const Rule> BroadcastRules() { return kRules; }

NodeId Unstretched(const Graph& graph, NodeId id) {
  while (true) {
    const Node& node = graph[id];
    const bool stretches =
        node.op == Op::kBroadcast ||
        (node.op == Op::kReshape && AddsOnlyOnesInFront(graph[node.inputs[0]].type.shape, node.type.shape));
    if (!stretches) return id;
    id = node.inputs[0];
  }
}

bool IsOneElement(const Type& type) {
  return std::ranges::all_of(type.shape, [](int64_t d) { return d == 1; });
}

NodeId Site::Stretch(NodeId value, const Shape& shape) {
  if (graph[value].type.shape == shape) return value;
  return Add(Op::kBroadcast, {value}, Attribute("dims", Ints(shape.begin(), shape.end())));
}

}  // namespace fusebox::simplify
