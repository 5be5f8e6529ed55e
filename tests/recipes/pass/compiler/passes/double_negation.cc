// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/double_negation.h"

namespace fusebox {
namespace {

NodeId WithoutTwoInARow(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
  if (node.op == Op::kNegate && copy[inputs[0]].op == Op::kNegate) return copy[inputs[0]].inputs[0];
  return Keep(copy, node, std::move(inputs));
}

}  // namespace

absl::StatusOr<Graph> DropDoubleNegations(const Graph& graph) { return Rewrite(graph, WithoutTwoInARow); }

}  // namespace fusebox
