// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation: one walk from results back to what they depend on. Inside compiler/passes/ only.
#pragma once
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "fusebox/graph/builder.h"

namespace fusebox {

// The gradients of one scalar by every value that it depends on; the symbols are added to the builder's graph.
class Sweep {
 public:
  // `seeds` are the scalar's derivatives by some values of the graph, from which it knows all others; only those that are
  // on the way to `wanted` are written.
  Sweep(GraphBuilder& builder, const std::map<NodeId, Value>& seeds, const std::vector<NodeId>& wanted);

  absl::Status Run();

  // 0 where there is none.
  NodeId gradient(NodeId x) const { return x < gradients_.size() ? gradients_[x].id : 0; }

 private:
  absl::Status PassOn(NodeId id);
  absl::Status PassOnControl(NodeId id, const Node& node);
  void AddPart(NodeId input, Value part);

  GraphBuilder& builder_;
  std::vector<bool> depends_;
  Values gradients_;
  std::map<NodeId, std::map<size_t, Value>> of_results_;  // By control node, those of its further results.
};

// Of the type of a value, all zero.
Value ZerosLike(GraphBuilder& builder, const Type& type);

}  // namespace fusebox
