// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/layouts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fusebox/compiler/matrix_layout.h"

namespace fusebox {
namespace {

constexpr int64_t kNarrow = 2 * kPanel;  // Columns. Padding a narrower matrix would waste more than it saves.

bool ReadsAsB(const Graph& graph, const Node& node, NodeId value) {
  return node.info().kind == OpKind::kMatMul && node.inputs[1] == value && StorageOf(graph, node.inputs[0]) != value;
}

bool IsElementOf(const Node& node, const Shape& shape) {
  return node.info().kind == OpKind::kElementwise && node.type.shape == shape;
}

// Whether the kernel goes over the rows of a matrix of this shape one by one.
bool GoesByRow(const Kernel& kernel, const Shape& shape) {
  return kernel.kind == KernelKind::kRows && kernel.space == shape && kernel.outer_rank == 1;
}

// Whether this member of the kernel can read the value in this layout.
bool Follows(const Graph& graph, const Kernel& kernel, const Node& node, NodeId value, Layout layout) {
  // A reshape of the value has other rows than it.
  for (const NodeId input : DataInputs(node)) {
    if (input != value && StorageOf(graph, input) == value) return false;
  }
  const Shape& shape = graph[value].type.shape;
  if (node.info().kind == OpKind::kMatMul) return layout == Layout::kPadded || ReadsAsB(graph, node, value);
  switch (kernel.kind) {
    case KernelKind::kMatMul:
      return IsElementOf(node, shape);
    case KernelKind::kRows:
      // A loop over both rows and columns would run across the padding.
      return GoesByRow(kernel, shape) && (IsElementOf(node, shape) || node.info().kind == OpKind::kReduce);
    case KernelKind::kColumns:
      return layout == Layout::kPadded && node.info().kind == OpKind::kReduce && kernel.space == shape &&
             kernel.outer_rank == 0 && kernel.run_rank == 1;
    case KernelKind::kTranspose:
      return true;  // Its operand is a matrix: it reads blocks of 8 columns, none of which lies in two panels.
    default:
      return false;
  }
}

bool AllFollow(const FusedProgram& program, const ReadersByNode& readers, NodeId value, Layout layout) {
  const Graph& graph = program.graph;
  for (const size_t k : readers[value]) {
    const Kernel& kernel = program.kernels[k];
    for (const NodeId member : kernel.members) {
      const Node& node = graph[member];
      const bool reads = std::ranges::any_of(DataInputs(node), [&](NodeId i) { return StorageOf(graph, i) == value; });
      if (reads && !Follows(graph, kernel, node, value, layout)) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<NodeId> StatesForPanels(const FusedProgram& program, const ReadersByNode& readers, int64_t least_bytes) {
  const Graph& graph = program.graph;
  const auto is_large_matrix = [&](const Node& node) {
    if (node.info().binding != Binding::kState || node.type.dtype != DType::kF32 || node.type.rank() != 2) return false;
    const Shape& shape = node.type.shape;
    return shape[0] > 0 && shape[1] > 0 && NumElements(shape, 1) * SizeOf(DType::kF32) >= least_bytes;
  };
  std::vector<NodeId> states;
  std::vector<NodeId> slots;
  std::set<std::pair<size_t, Shape>> readers_of_panels;
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!is_large_matrix(graph[id])) continue;
    const bool is_b = std::ranges::any_of(readers[id], [&](size_t k) {
      return std::ranges::any_of(program.kernels[k].members,
                                 [&](NodeId member) { return ReadsAsB(graph, graph[member], id); });
    });
    if (!is_b || !AllFollow(program, readers, id, Layout::kPanels)) continue;
    states.push_back(id);
    for (const size_t k : readers[id]) readers_of_panels.emplace(k, graph[id].type.shape);
  }
  // An optimizer's slots lie as their weight does, so that the kernel that updates them goes over all of them alike.
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!is_large_matrix(graph[id]) || readers[id].empty() || std::ranges::binary_search(states, id)) continue;
    const bool beside_panels = std::ranges::all_of(readers[id], [&](size_t k) {
      return program.kernels[k].kind == KernelKind::kMatMul && readers_of_panels.contains({k, graph[id].type.shape});
    });
    if (beside_panels && AllFollow(program, readers, id, Layout::kPanels)) slots.push_back(id);
  }
  states.insert(states.end(), slots.begin(), slots.end());
  return states;
}

std::vector<NodeId> ValuesToPad(const FusedProgram& program, const ReadersByNode& readers) {
  const Graph& graph = program.graph;
  std::vector<NodeId> values;
  for (const Kernel& kernel : program.kernels) {
    for (const NodeId id : kernel.stored) {
      const Type& type = graph[id].type;
      if (type.dtype != DType::kF32 || type.rank() != 2) continue;
      if (type.shape[1] < kNarrow || type.shape[1] % kPanel == 0) continue;
      const bool written = kernel.kind == KernelKind::kMatMul
                               ? kernel.space == type.shape
                               : kernel.kind == KernelKind::kTranspose || GoesByRow(kernel, type.shape);
      if (written && AllFollow(program, readers, id, Layout::kPadded)) values.push_back(id);
    }
  }
  return values;
}

}  // namespace fusebox
