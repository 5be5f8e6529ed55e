// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/graph.h"

#include <algorithm>

#include "fusebox/graph/check.h"

namespace fusebox {

NodeId Graph::Add(Node node) {
  for (const NodeId input : node.inputs) Check(input > 0 && input < size(), "an input that does not exist yet");
  nodes_.push_back(std::move(node));
  return size() - 1;
}

void Graph::SetUpdate(NodeId state, NodeId value) {
  const auto it = std::ranges::find(updates_, state, &Update::state);
  if (it != updates_.end()) {
    it->value = value;
  } else {
    updates_.push_back({state, value});
  }
}

NodeId Graph::update_of(NodeId state) const {
  const auto it = std::ranges::find(updates_, state, &Update::state);
  return it != updates_.end() ? it->value : 0;
}

NodeId Graph::FindNamed(Op op, std::string_view name) const {
  for (NodeId id = 1; id < size(); ++id) {
    if (nodes_[id].op == op && nodes_[id].attributes.String("name") == name) return id;
  }
  return 0;
}

std::vector<bool> Reachable(const Graph& graph) {
  std::vector<bool> needed(graph.size());
  for (const auto& output : graph.outputs()) needed[output.value] = true;
  for (const auto& update : graph.updates()) needed[update.state] = needed[update.value] = true;
  for (NodeId id = graph.size() - 1; id > 0; --id) {
    if (!needed[id]) continue;
    for (const NodeId input : graph[id].inputs) needed[input] = true;
  }
  return needed;
}

Graph Rewrite(const Graph& graph, const NodeMap& map) {
  const std::vector<bool> needed = Reachable(graph);
  Graph copy;
  copy.metadata = graph.metadata;
  std::vector<NodeId> image(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!needed[id]) continue;
    std::vector<NodeId> inputs;
    for (const NodeId input : graph[id].inputs) inputs.push_back(image[input]);
    image[id] = map(copy, graph[id], std::move(inputs));
    Check(image[id] != 0, "a rewrite lost a node");
  }
  std::vector<Graph::Output> outputs = graph.outputs();
  std::vector<Graph::Update> updates = graph.updates();
  for (auto& output : outputs) output.value = image[output.value];
  for (auto& [state, value] : updates) {
    state = image[state];
    value = image[value];
  }
  copy.ReplaceResults(std::move(outputs), std::move(updates));
  return copy;
}

NodeId Keep(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
  Node same = node;
  same.inputs = std::move(inputs);
  return copy.Add(std::move(same));
}

}  // namespace fusebox
