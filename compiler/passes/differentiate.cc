// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/differentiate.h"

#include <algorithm>
#include <map>

#include "fusebox/graph/builder.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

// Whether a node depends on one of `wanted` by a path that gradients can pass: floats, by ops that have a rule.
std::vector<bool> Dependents(const Graph& graph, NodeId last, const std::vector<NodeId>& wanted) {
  std::vector<bool> depends(last + 1);
  for (const NodeId x : wanted) {
    if (x <= last) depends[x] = true;
  }
  for (NodeId id = 1; id <= last; ++id) {
    const Node& node = graph[id];
    const bool passes =
        IsFloat(node.type.dtype) && (node.info().vjp != nullptr || node.info().kind == OpKind::kControl);
    if (passes && std::ranges::any_of(node.inputs, [&](NodeId i) { return depends[i]; })) depends[id] = true;
  }
  return depends;
}

// The gradients of one loss by every value, id 0 where there is none; the symbols are added to the builder's graph.
class Sweep {
 public:
  Sweep(GraphBuilder& builder, NodeId loss, const std::vector<NodeId>& wanted)
      : builder_(builder), depends_(Dependents(builder.graph(), loss, wanted)), gradients_(loss + 1) {
    if (depends_[loss]) {
      const GraphBuilder::Scope scope(builder, builder.graph()[loss].scope);
      gradients_[loss] = builder.Constant(1, builder.graph()[loss].type.dtype);
    }
  }

  absl::Status Run() {
    for (NodeId id = NodeId(gradients_.size()) - 1; id > 0; --id) {
      // Its users all came later in the graph, so they have added their parts by now.
      if (gradients_[id].ok()) FUSEBOX_RETURN_IF_ERROR(PassOn(id));
    }
    return absl::OkStatus();
  }

  NodeId gradient(NodeId x) const { return x < gradients_.size() ? gradients_[x].id : 0; }

 private:
  // Adds to the gradients of a node's inputs what comes by way of this node.
  absl::Status PassOn(NodeId id) {
    const Node node = builder_.graph()[id];  // A copy: the arena grows while the rule writes.
    if (std::ranges::none_of(node.inputs, [&](NodeId i) { return depends_[i]; })) return absl::OkStatus();
    if (node.info().kind == OpKind::kControl) {
      return Refuse("differentiate: a {} is on the way to the loss, and has to be inlined before", node.info().name);
    }
    if (node.info().vjp == nullptr) return absl::OkStatus();
    const GraphBuilder::Scope scope(builder_, node.scope);
    const NodeId first_new = builder_.graph().size();
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
      gradients_[input] = gradients_[input].ok() ? gradients_[input] + parts[i] : parts[i];
    }
    if (!builder_.status().ok()) {
      return Refuse("differentiate: the gradient of {}{}{}: {}", node.info().name, node.scope.empty() ? "" : " in ",
                    node.scope, Message(builder_.status()));
    }
    // A message about a gradient is about the line that wrote the layer, not about the op's table.
    for (NodeId made = first_new; made < builder_.graph().size(); ++made) {
      builder_.mutable_graph().mutable_node(made).source = node.source;
    }
    return absl::OkStatus();
  }

  GraphBuilder& builder_;
  std::vector<bool> depends_;
  Values gradients_;
};

NodeId Zeros(GraphBuilder& builder, const Node& like) {
  const GraphBuilder::Scope scope(builder, like.scope);
  const Value zero = builder.Constant(0, like.type.dtype);
  if (like.type.rank() == 0) return zero.id;
  return Broadcast(zero, Dims(like.type.shape.begin(), like.type.shape.end())).id;
}

}  // namespace

absl::StatusOr<Graph> Differentiate(const Graph& graph) {
  const std::vector<bool> needed = Reachable(graph);
  std::map<NodeId, std::vector<NodeId>> wanted;  // By loss.
  std::vector<bool> derived_by(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!needed[id] || graph[id].op != Op::kGradient) continue;
    wanted[graph[id].inputs[0]].push_back(graph[id].inputs[1]);
    derived_by[graph[id].inputs[1]] = true;
  }
  if (wanted.empty()) return Rewrite(graph, Keep);

  GraphBuilder builder;
  builder.mutable_graph().metadata = graph.metadata;
  std::vector<NodeId> image(graph.size());
  std::map<NodeId, Sweep> sweeps;
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!needed[id]) continue;
    const Node& node = graph[id];
    if (node.op != Op::kGradient) {
      std::vector<NodeId> inputs;
      for (const NodeId input : node.inputs) inputs.push_back(image[input]);
      image[id] = Keep(builder.mutable_graph(), node, std::move(inputs));
      continue;
    }
    const auto [loss, x] = std::pair(node.inputs[0], node.inputs[1]);
    auto sweep = sweeps.find(loss);
    if (sweep == sweeps.end()) {
      std::vector<NodeId> xs;
      for (const NodeId w : wanted[loss]) {
        if (image[w] != 0) xs.push_back(image[w]);  // What comes after the loss has no influence on it.
      }
      sweep = sweeps.emplace(loss, Sweep(builder, image[loss], xs)).first;
      FUSEBOX_RETURN_IF_ERROR(sweep->second.Run());
    }
    image[id] = sweep->second.gradient(image[x]);
    if (image[id] == 0) image[id] = Zeros(builder, graph[x]);
    // Two gradients may be one node. What is derived by must be a node of its own, or it would stand for both.
    if (derived_by[id]) {
      image[id] = Reshape(builder.Wrap(image[id]), Dims(node.type.shape.begin(), node.type.shape.end())).id;
    }
  }
  if (!builder.status().ok()) return Refuse("differentiate: {}", Message(builder.status()));
  Graph out = std::move(builder).Take();
  std::vector<Graph::Output> outputs = graph.outputs();
  std::vector<Graph::Update> updates = graph.updates();
  for (auto& output : outputs) output.value = image[output.value];
  for (auto& [state, value] : updates) {
    state = image[state];
    value = image[value];
  }
  out.ReplaceResults(std::move(outputs), std::move(updates));
  return Rewrite(out, Keep);  // Without the gradients that nobody asked for.
}

}  // namespace fusebox
