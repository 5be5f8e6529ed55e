// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/sweep.h"

#include <algorithm>
#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

// Whether a node depends on one of `wanted` by a path that gradients can take: floats, through ops that have a rule.
// Through a control node they may take any of its results.
std::vector<bool> Dependents(const Graph& graph, NodeId last, const std::vector<NodeId>& wanted) {
  std::vector<bool> depends(last + 1);
  for (const NodeId x : wanted) {
    if (x <= last) depends[x] = true;
  }
  for (NodeId id = 1; id <= last; ++id) {
    const Node& node = graph[id];
    const bool passes =
        node.info().kind == OpKind::kControl || (IsFloat(node.type.dtype) && node.info().vjp != nullptr);
    if (passes && std::ranges::any_of(node.inputs, [&](NodeId i) { return depends[i]; })) depends[id] = true;
  }
  return depends;
}

NodeId LastOf(const std::map<NodeId, Value>& seeds) { return seeds.empty() ? 0 : seeds.rbegin()->first; }

}  // namespace

Sweep::Sweep(GraphBuilder& builder, const std::map<NodeId, Value>& seeds, const std::vector<NodeId>& wanted,
             ControlRule control)
    : builder_(builder),
      control_(std::move(control)),
      depends_(Dependents(builder.graph(), LastOf(seeds), wanted)),
      gradients_(LastOf(seeds) + 1) {
  for (const auto& [value, seed] : seeds) {
    if (depends_[value]) gradients_[value] = seed;
  }
}

absl::Status Sweep::Run() {
  for (NodeId id = NodeId(gradients_.size()) - 1; id > 0; --id) {
    // All its users come later in the graph, so they have added their parts by now.
    if (gradients_[id].ok() || of_results_.contains(id)) FUSEBOX_RETURN_IF_ERROR(PassOn(id));
  }
  return absl::OkStatus();
}

// Adds the parts that come through this node to the gradients of its inputs.
absl::Status Sweep::PassOn(NodeId id) {
  const Node node = builder_.graph()[id];  // A copy: the arena grows while the rule writes.
  if (std::ranges::none_of(node.inputs, [&](NodeId i) { return depends_[i]; })) return absl::OkStatus();
  if (node.op == Op::kResult) {
    of_results_[node.inputs[0]][size_t(node.attributes.Int("index"))] = gradients_[id];
    return absl::OkStatus();
  }
  const GraphBuilder::Scope scope(builder_, node.scope);
  const NodeId first_new = builder_.graph().size();
  if (node.info().kind == OpKind::kControl) {
    FUSEBOX_RETURN_IF_ERROR(PassOnControl(id, node));
  } else if (node.info().vjp != nullptr) {
    Values inputs;
    for (const NodeId input : node.inputs) inputs.push_back(builder_.Wrap(input));
    const Values parts = node.info().vjp({node, inputs, builder_.Wrap(id), gradients_[id]});
    for (size_t i = 0; i < parts.size() && i < inputs.size(); ++i) {
      const NodeId input = node.inputs[i];
      if (!depends_[input] || !parts[i].ok()) continue;
      const Type &expected = builder_.graph()[input].type, &got = builder_.graph()[parts[i].id].type;
      if (got != expected) {
        return absl::InternalError(fmt::format("differentiate: the gradient of {} by its input {} is {}, expected {}",
                                               node.info().name, i, ToString(got), ToString(expected)));
      }
      AddPart(input, parts[i]);
    }
  }
  if (!builder_.status().ok()) {
    return Refuse("differentiate: the gradient of {}{}{}: {}", node.info().name, node.scope.empty() ? "" : " in ",
                  node.scope, Message(builder_.status()));
  }
  // A message about a gradient names the line that wrote the layer, not the op's table.
  for (NodeId made = first_new; made < builder_.graph().size(); ++made) {
    builder_.mutable_graph().mutable_node(made).source = node.source;
  }
  return absl::OkStatus();
}

absl::Status Sweep::PassOnControl(NodeId id, const Node& node) {
  std::map<size_t, Value> dys = of_results_[id];
  if (gradients_[id].ok()) dys[0] = gradients_[id];
  std::vector<bool> wanted;
  for (const NodeId input : node.inputs) {
    wanted.push_back(depends_[input] && IsFloat(builder_.graph()[input].type.dtype));
  }
  FUSEBOX_ASSIGN_OR_RETURN(const Values parts, control_(builder_, id, dys, wanted));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i] && parts[i].ok()) AddPart(node.inputs[i], parts[i]);
  }
  return absl::OkStatus();
}

void Sweep::AddPart(NodeId input, Value part) {
  gradients_[input] = gradients_[input].ok() ? gradients_[input] + part : part;
}

Value ZerosLike(GraphBuilder& builder, const Type& type) {
  const Value zero = builder.Constant(0, type.dtype);
  if (type.rank() == 0) return zero;
  return Broadcast(zero, Dims(type.shape.begin(), type.shape.end()));
}

}  // namespace fusebox
