// SPDX-License-Identifier: Apache-2.0
// simplify/ holds the rules of algebra that the pass simplify applies, one file per family of ops: arithmetic,
// broadcasts, movement, reductions. It sees graph/ and the helpers of compiler/passes/; only simplify.cc sees it.
#pragma once
#include <optional>
#include <span>

#include "fusebox/compiler/passes/support.h"
#include "fusebox/graph/graph.h"

namespace fusebox::simplify {

// Where a rule is tried: a node whose inputs are simple already. It is not in the graph yet; its inputs are.
struct Site {
  Graph& graph;
  const Node& node;

  // An input, good until the next Add.
  const Node& input(size_t i) const { return graph[node.inputs[i]]; }
  bool InputIs(size_t i, Op op) const { return input(i).op == op; }
  const Type& type_of(NodeId id) const { return graph[id].type; }

  NodeId Add(Op op, std::vector<NodeId> inputs, AttributeMap attributes = {}) {
    return AddFor(graph, node, op, std::move(inputs), std::move(attributes));
  }
  NodeId Constant(double value, DType dtype) { return ConstantFor(graph, node, value, dtype); }
  NodeId Reshape(NodeId value, const Shape& shape) { return ReshapeFor(graph, node, value, shape); }
  // The value stretched to a shape: itself, if it has that shape.
  NodeId Stretch(NodeId value, const Shape& shape);
  // A value that stands for the node, up to being stretched to its shape.
  NodeId Instead(NodeId value) { return Stretch(value, node.type.shape); }
};

// The number that all elements are, as the dtype holds it; seen through broadcasts and reshapes.
std::optional<double> Number(const Graph& graph, NodeId id);
// What a value repeats, if all that happened to it is broadcasting, or axes of size 1 put in front; else itself.
NodeId Unstretched(const Graph& graph, NodeId id);
// Whether there is one element, for any batch.
bool IsOneElement(const Type& type);

// The value to use instead of the node; 0 where the rule does not apply, and then nothing was added.
using Rule = NodeId (*)(Site);

std::span<const Rule> ArithmeticRules();
std::span<const Rule> BroadcastRules();
std::span<const Rule> MovementRules();
std::span<const Rule> ReductionRules();

}  // namespace fusebox::simplify
