// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/canonical_reductions.h"

#include "fusebox/compiler/passes/support.h"

namespace fusebox {
namespace {

// Runs of axes that follow each other, the last one first.
std::vector<Ints> RunsFromTheLast(const Ints& axes) {
  std::vector<Ints> runs;
  for (size_t i = axes.size(); i-- > 0;) {
    if (runs.empty() || runs.back().front() != axes[i] + 1) runs.emplace_back();
    runs.back().insert(runs.back().begin(), axes[i]);
  }
  return runs;
}

NodeId Canonical(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
  // An index cannot be put together from parts, so argmax has one axis and never keeps it.
  if (node.info().kind != OpKind::kReduce || node.attributes.Find("axes") == nullptr) {
    return Keep(copy, node, std::move(inputs));
  }
  const Shape shape = copy[inputs[0]].type.shape;
  Ints folded;
  for (const int64_t axis : node.attributes.List("axes")) {
    if (shape[size_t(axis)] != 1) folded.push_back(axis);
  }
  NodeId value = inputs[0];
  for (Ints& run : RunsFromTheLast(folded)) {
    value = AddFor(copy, node, node.op, {value}, Attribute("axes", std::move(run)));
  }
  return ReshapeFor(copy, node, value, node.type.shape);
}

}  // namespace

absl::StatusOr<Graph> CanonicalReductions(const Graph& graph) { return Rewrite(graph, Canonical); }

}  // namespace fusebox
