// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/layout.h"

#include "fusebox/compiler/passes/support.h"

namespace fusebox {
namespace {

NodeId WithRowsOfB(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
  if (node.info().kind != OpKind::kMatMul || !node.attributes.Flag("transpose_b")) {
    return Keep(copy, node, std::move(inputs));
  }
  const NodeId rows = AddFor(copy, node, Op::kTranspose, {inputs[1]}, Attribute("permutation", Ints{1, 0}));
  AttributeMap attributes;
  if (node.attributes.Flag("transpose_a")) attributes.Set("transpose_a", true);
  return AddFor(copy, node, node.op, {inputs[0], rows}, std::move(attributes));
}

}  // namespace

absl::StatusOr<Graph> ChooseLayouts(const Graph& graph) { return Rewrite(graph, WithRowsOfB); }

}  // namespace fusebox
