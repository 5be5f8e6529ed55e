// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/support.h"

#include "fusebox/graph/status.h"

namespace fusebox {

AttributeMap Attribute(std::string name, AttributeValue value) {
  AttributeMap attributes;
  attributes.Set(std::move(name), std::move(value));
  return attributes;
}

NodeId AddFor(Graph& graph, const Node& origin, Op op, std::vector<NodeId> inputs, AttributeMap attributes) {
  std::vector<Type> types;
  for (const NodeId input : inputs) types.push_back(graph[input].type);
  absl::StatusOr<Type> type = InferType(op, {types, attributes, nullptr});
  if (!type.ok()) return 0;
  return graph.Add({.op = op,
                    .type = *std::move(type),
                    .inputs = std::move(inputs),
                    .attributes = std::move(attributes),
                    .scope = origin.scope,
                    .source = origin.source});
}

NodeId ReshapeFor(Graph& graph, const Node& origin, NodeId value, const Shape& shape) {
  if (graph[value].type.shape == shape) return value;
  return AddFor(graph, origin, Op::kReshape, {value}, Attribute("dims", Ints(shape.begin(), shape.end())));
}

NodeId ConstantFor(Graph& graph, const Node& origin, double value, DType dtype) {
  return graph.Add({.op = Op::kConstant,
                    .type = {dtype, {}},
                    .attributes = Attribute("value", value),
                    .scope = origin.scope,
                    .source = origin.source});
}

absl::Status ExpectsNoGradients(const Graph& graph, std::string_view pass) {
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (graph[id].info().kind == OpKind::kDerivative) {
      return Refuse("{}: expects a graph without {} nodes; differentiate comes before", pass, graph[id].info().name);
    }
  }
  return absl::OkStatus();
}

}  // namespace fusebox
