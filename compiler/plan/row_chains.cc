// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/row_chains.h"

#include <algorithm>
#include <numeric>

namespace fusebox {
namespace {

bool IsOfBatch(const Shape& shape) { return !shape.empty() && shape[0] == kBatch; }

// Whether kernel `k` needs nothing of `earlier` but its own rows of the values that `earlier` makes.
bool NeedsOnlyOwnRows(const FusedProgram& program, const Dependencies& all, size_t k, size_t earlier) {
  bool reads = false;
  for (const NodeId value : all.reads[k]) {
    if (all.maker[value] != earlier) continue;
    if (!ReadsOnlyOwnRow(program.graph, program.kernels[k], value)) return false;
    reads = true;
  }
  // If it reads none of these values, it writes over something that the earlier kernel reads.
  return reads;
}

}  // namespace

bool HasRowsOfBatch(const Graph& graph, const Kernel& kernel) {
  if (!IsOfBatch(kernel.space)) return false;
  const bool by_row = kernel.kind == KernelKind::kMatMul ||
                      (kernel.kind == KernelKind::kRows && (kernel.outer_rank > 0 || kernel.run_rank == 0));
  return by_row && std::ranges::all_of(kernel.stored, [&](NodeId id) { return IsOfBatch(graph[id].type.shape); });
}

bool ReadsOnlyOwnRow(const Graph& graph, const Kernel& kernel, NodeId value) {
  if (!IsOfBatch(graph[value].type.shape)) return false;
  for (const NodeId id : kernel.members) {
    const Node& node = graph[id];
    const std::vector<NodeId> inputs = DataInputs(node);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (StorageOf(graph, inputs[i]) != value) continue;
      const Shape& read = graph[inputs[i]].type.shape;
      if (!IsOfBatch(read) || !IsOfBatch(node.type.shape)) return false;
      const OpKind kind = node.info().kind;
      const bool is_a = kind == OpKind::kMatMul && i == 0 && !node.attributes.Flag("transpose_a");
      const bool along_rows = kind == OpKind::kReduce;  // HasRowsOfBatch rules out other axes.
      const bool same_row = ReadsSamePoint(node) && read.size() == node.type.shape.size();
      if (!is_a && !along_rows && !same_row) return false;
    }
  }
  return true;
}

bool HasOneUnit(const Kernel& kernel) {
  if (kernel.kind == KernelKind::kCopy || kernel.kind == KernelKind::kScatter) return true;
  if (kernel.kind != KernelKind::kRows || kernel.outer_rank > 0) return false;
  return kernel.run_rank > 0 || SymbolicProduct(kernel.space) == 1;
}

Phases FindPhases(const FusedProgram& program, const Dependencies& all, const std::vector<bool>& may_chain,
                  const std::function<int64_t(size_t kernel)>& bytes, int64_t most_bytes) {
  const size_t count = program.kernels.size();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t k) { return all.order.level(k); });
  Phases phases{.of = std::vector<size_t>(count), .by_rows = std::vector<bool>(count)};
  std::vector<int64_t> bytes_of_phase;
  for (const size_t k : order) {
    size_t chained = 0, alone = 0;  // The earliest phase with and without chains.
    for (const size_t earlier : all.order.needs(k)) {
      const bool by_rows = may_chain[k] && may_chain[earlier] && NeedsOnlyOwnRows(program, all, k, earlier);
      const bool one_unit = HasOneUnit(program.kernels[k]) && HasOneUnit(program.kernels[earlier]);
      chained = std::max(chained, phases.of[earlier] + (by_rows || one_unit ? 0 : 1));
      alone = std::max(alone, phases.of[earlier] + 1);
    }
    const bool chains = chained < alone && (!may_chain[k] || bytes_of_phase[chained] + bytes(k) <= most_bytes);
    phases.of[k] = chains ? chained : alone;
    if (phases.kernels.size() <= phases.of[k]) {
      phases.kernels.resize(phases.of[k] + 1);
      bytes_of_phase.resize(phases.of[k] + 1);
    }
    phases.kernels[phases.of[k]].push_back(k);
    if (may_chain[k]) bytes_of_phase[phases.of[k]] += bytes(k);
    if (!chains || !may_chain[k]) continue;
    phases.by_rows[k] = true;
    for (const size_t earlier : all.order.needs(k)) {
      if (phases.of[earlier] == phases.of[k]) phases.by_rows[earlier] = true;
    }
  }
  return phases;
}

}  // namespace fusebox
