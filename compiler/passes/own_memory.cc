// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/own_memory.h"

#include <set>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/passes/support.h"

namespace fusebox {
namespace {

NodeId Copy(Graph& graph, NodeId value) {
  const Node origin{.scope = graph[value].scope, .source = graph[value].source};
  return AddFor(graph, origin, Op::kCopy, {value});
}

// Whether the node finds an operand that is part of the code, not in memory.
bool TakesOperandsFromCode(const Node& node) { return ReadsSamePoint(node) || IsView(node); }

NodeId WithOperandsInMemory(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
  if (TakesOperandsFromCode(node)) return Keep(copy, node, std::move(inputs));
  for (NodeId& input : inputs) {
    if (IsNumberAtHand(copy[StorageOf(copy, input)])) input = Copy(copy, input);
  }
  return Keep(copy, node, std::move(inputs));
}

}  // namespace

absl::StatusOr<Graph> OwnMemory(const Graph& graph) {
  Graph copy = Rewrite(graph, WithOperandsInMemory);
  std::set<NodeId> taken;
  const auto own = [&](NodeId value) {
    const NodeId storage = StorageOf(copy, value);
    return !IsLeaf(copy[storage]) && taken.insert(storage).second ? value : Copy(copy, value);
  };
  std::vector<Graph::Update> updates = copy.updates();
  std::vector<Graph::Output> outputs = copy.outputs();
  for (auto& update : updates) update.value = own(update.value);
  for (auto& output : outputs) output.value = own(output.value);
  copy.ReplaceResults(std::move(outputs), std::move(updates));
  return copy;
}

}  // namespace fusebox
