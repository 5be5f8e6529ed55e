// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/simplify.h"

#include "fusebox/compiler/passes/simplify/rules.h"

namespace fusebox {
namespace {

constexpr int kMaxWalks = 8;

// 0 if no rule fits.
NodeId FirstThatFits(Graph& graph, const Node& node) {
  using namespace simplify;
  for (const auto rules : {ArithmeticRules(), BroadcastRules(), MovementRules(), ReductionRules()}) {
    for (const Rule rule : rules) {
      if (const NodeId instead = rule({graph, node}); instead != 0) return instead;
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<Graph> Simplify(const Graph& graph) {
  if (absl::Status s = ExpectsNoGradients(graph, "simplify"); !s.ok()) return s;
  Graph simple = graph;
  bool changed = true;
  for (int walk = 0; walk < kMaxWalks && changed; ++walk) {
    changed = false;
    simple = Rewrite(simple, [&](Graph& copy, const Node& node, std::vector<NodeId> inputs) {
      Node mapped = node;
      mapped.inputs = std::move(inputs);
      const NodeId instead = FirstThatFits(copy, mapped);
      changed |= instead != 0;
      return instead != 0 ? instead : copy.Add(std::move(mapped));
    });
  }
  return Rewrite(simple, Keep);  // Without what the last walk left behind.
}

}  // namespace fusebox
