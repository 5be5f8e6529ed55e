// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/differentiate.h"

#include <algorithm>
#include <map>

#include "fusebox/compiler/passes/differentiate_control.h"
#include "fusebox/compiler/passes/sweep.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"

namespace fusebox {
namespace {

constexpr size_t kMostNodes = 500'000;

NodeId Zeros(GraphBuilder& builder, const Node& like) {
  const GraphBuilder::Scope scope(builder, like.scope);
  return ZerosLike(builder, like.type).id;
}

// The derivative of a loss by itself: 1.
Value One(GraphBuilder& builder, NodeId loss) {
  const GraphBuilder::Scope scope(builder, builder.graph()[loss].scope);
  return builder.Constant(1, builder.graph()[loss].type.dtype);
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

  // One gradient makes a few operations of each.
  const size_t most = std::max<size_t>(kMostNodes, 64 * graph.size());
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
        if (image[w] != 0) xs.push_back(image[w]);  // Values after the loss do not influence it.
      }
      const std::map<NodeId, Value> seeds = {{image[loss], One(builder, image[loss])}};
      sweep = sweeps.emplace(loss, Sweep(builder, seeds, xs, ControlGradients)).first;
      FUSEBOX_RETURN_IF_ERROR(sweep->second.Run());
      if (const size_t size = builder.graph().size(); size > most) {
        return absl::ResourceExhaustedError(fmt::format(
            "differentiate: the program of {} operations has {} with the gradients of '{}', expected at most "
            "{}: each gradient of a gradient doubles what it is taken of, at least",
            graph.size() - 1, size - 1, ValueNames(graph)[loss], most));
      }
    }
    image[id] = sweep->second.gradient(image[x]);
    if (image[id] == 0) image[id] = Zeros(builder, graph[x]);
    // Two gradients may be one node. But a value that another gradient is taken by must be a node of its own, or it
    // would stand for both.
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
  return Rewrite(out, Keep);  // Without gradients that nothing uses.
}

}  // namespace fusebox
