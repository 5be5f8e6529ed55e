// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/panels.h"

#include <algorithm>

namespace fusebox {
namespace {

bool ReadsAsB(const Graph& graph, const Node& node, NodeId state) {
  return node.op == Op::kMatMul && node.inputs[1] == state && StorageOf(graph, node.inputs[0]) != state;
}

// Whether this member of the kernel finds its elements of the state in panels as well.
bool Follows(const Graph& graph, const Kernel& kernel, const Node& node, NodeId state) {
  // A reshape of it reads other rows than its own.
  for (const NodeId input : DataInputs(node)) {
    if (input != state && StorageOf(graph, input) == state) return false;
  }
  if (ReadsAsB(graph, node, state)) return true;
  switch (kernel.kind) {
    case KernelKind::kMatMul:
      return node.info().kind == OpKind::kElementwise && node.type.shape == graph[state].type.shape;
    case KernelKind::kRows: {
      // Along the row; where rows and columns are folded into one, the panels would be cut across.
      const bool by_row = kernel.space == graph[state].type.shape && kernel.outer_rank == 1;
      const bool own = node.info().kind == OpKind::kElementwise && node.type.shape == kernel.space;
      return by_row && (own || node.info().kind == OpKind::kReduce);
    }
    case KernelKind::kTranspose:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<NodeId> StatesForPanels(const Graph& graph, const std::vector<Kernel>& kernels, int64_t least_bytes) {
  std::vector<NodeId> states;
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& state = graph[id];
    if (state.op != Op::kState || state.type.dtype != DType::kF32 || state.type.rank() != 2) continue;
    const Shape& shape = state.type.shape;
    if (shape[0] <= 0 || shape[1] <= 0 || NumElements(shape, 1) * SizeOf(DType::kF32) < least_bytes) continue;
    bool is_b = false, all_follow = true;
    for (const Kernel& kernel : kernels) {
      for (const NodeId member : kernel.members) {
        const Node& node = graph[member];
        const bool reads = std::ranges::any_of(DataInputs(node), [&](NodeId i) { return StorageOf(graph, i) == id; });
        if (!reads) continue;
        is_b = is_b || ReadsAsB(graph, node, id);
        all_follow = all_follow && Follows(graph, kernel, node, id);
      }
    }
    if (is_b && all_follow) states.push_back(id);
  }
  return states;
}

int64_t PanelElements(const Shape& shape) { return (shape[1] + kPanel - 1) / kPanel * kPanel * shape[0]; }

}  // namespace fusebox
