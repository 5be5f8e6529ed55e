// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/inline_calls.h"

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

constexpr int kMaxDepth = 64;

class Inliner {
 public:
  NodeId Expand(Graph& copy, const Node& node, std::vector<NodeId> inputs) {
    if (node.op != Op::kCall) return Keep(copy, node, std::move(inputs));
    if (node.regions.size() != 1 || node.regions[0].outputs().size() != 1) {
      return Fail(copy, node, "expects a region with one output");
    }
    if (depth_ >= kMaxDepth) return Fail(copy, node, "is nested too deeply");
    ++depth_;
    const Graph& body = node.regions[0];
    const std::vector<bool> needed = Reachable(body);
    std::vector<NodeId> image(body.size());
    for (NodeId id = 1; id < body.size(); ++id) {
      if (needed[id]) image[id] = ExpandInner(copy, node, body[id], inputs, image);
    }
    --depth_;
    const NodeId result = image[body.outputs()[0].value];
    if (copy[result].type == node.type) return result;
    return Fail(
        copy, node,
        fmt::format("states the type {}, its region returns {}", ToString(node.type), ToString(copy[result].type)));
  }

  const absl::Status& status() const { return status_; }

 private:
  NodeId ExpandInner(Graph& copy, const Node& call, const Node& inner, const std::vector<NodeId>& operands,
                     const std::vector<NodeId>& image) {
    if (inner.op == Op::kInput) {
      const std::string& name = inner.attributes.String("name");
      for (size_t i = 0; i < operands.size(); ++i) {
        if (name == std::to_string(i)) return operands[i];
      }
      return Fail(copy, inner, fmt::format("its region reads '{}', it has {} operands", name, operands.size()));
    }
    Node moved = inner;
    if (moved.scope.empty()) moved.scope = call.scope;
    if (moved.source.empty()) moved.source = call.source;
    std::vector<NodeId> inputs;
    for (const NodeId input : inner.inputs) inputs.push_back(image[input]);
    return Expand(copy, moved, std::move(inputs));
  }

  // The first error counts. A constant stands in, so that the walk can go on.
  NodeId Fail(Graph& copy, const Node& node, const std::string& message) {
    if (status_.ok())
      status_ = Refuse("inline_calls: a call{}{} {}", node.scope.empty() ? "" : " in ", node.scope, message);
    Node stand_in{.op = Op::kConstant, .type = node.type};
    stand_in.attributes.Set("value", 0.0);
    return copy.Add(std::move(stand_in));
  }

  int depth_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Graph> InlineCalls(const Graph& graph) {
  Inliner inliner;
  Graph flat = Rewrite(graph, [&](Graph& copy, const Node& node, std::vector<NodeId> inputs) {
    return inliner.Expand(copy, node, std::move(inputs));
  });
  if (!inliner.status().ok()) return inliner.status();
  return flat;
}

}  // namespace fusebox
