// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation: one walk from results back to what they depend on. For passes/ alone.
#pragma once
#include <functional>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fusebox/graph/builder.h"

namespace fusebox {

// Writes the gradients by each operand of control node `id`, from those by its results. Only those that are wanted,
// which are floats; id 0 where none flows.
using ControlRule = std::function<absl::StatusOr<Values>(
    GraphBuilder& builder, NodeId id, const std::map<size_t, Value>& dys, const std::vector<bool>& wanted)>;

// The gradients of one scalar by every value that it depends on. Adds their symbols to the builder's graph.
class Sweep {
 public:
  // `seeds` are the scalar's derivatives by some values of the graph, from which all others follow. Only those on the
  // way to `wanted` are written. `control` is the rule of branches and loops, as each op's own is OpInfo::vjp.
  Sweep(GraphBuilder& builder, const std::map<NodeId, Value>& seeds, const std::vector<NodeId>& wanted,
        ControlRule control);

  absl::Status Run();

  // 0 where there is none.
  NodeId gradient(NodeId x) const { return x < gradients_.size() ? gradients_[x].id : 0; }

 private:
  absl::Status PassOn(NodeId id);
  absl::Status PassOnControl(NodeId id, const Node& node);
  void AddPart(NodeId input, Value part);

  GraphBuilder& builder_;
  const ControlRule control_;
  std::vector<bool> depends_;
  Values gradients_;
  std::map<NodeId, std::map<size_t, Value>> of_results_;  // By control node, those of its further results.
};

// Of the type of a value, all zero.
Value ZerosLike(GraphBuilder& builder, const Type& type);

}  // namespace fusebox
