// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/dependencies.h"

#include <algorithm>
#include <set>

#include "fusebox/graph/check.h"

namespace fusebox {
namespace {

// Whether kernel k may write `value` over `old`: all other readers of `old` can run before it.
bool CanOverwrite(const FusedProgram& program, const Dependencies& all, size_t k, NodeId value, NodeId old) {
  if (!ReadsOnlyOwnElement(program.graph, program.kernels[k], value, old)) return false;
  return std::ranges::none_of(all.readers[old],
                              [&](size_t reader) { return reader != k && all.order.Needs(reader, k); });
}

}  // namespace

Dependencies FindDependencies(const FusedProgram& program) {
  const auto& [graph, kernels, unfused, regions] = program;
  Dependencies all;
  all.maker.assign(graph.size(), Dependencies::kNone);
  all.readers.resize(graph.size());
  all.updates_in_place.resize(graph.size());
  for (size_t k = 0; k < kernels.size(); ++k) {
    for (const NodeId id : kernels[k].stored) all.maker[id] = k;
    all.order.Add();
  }
  for (size_t k = 0; k < kernels.size(); ++k) {
    std::set<NodeId> reads;
    for (const NodeId id : kernels[k].members) {
      for (const NodeId input : DataInputs(graph[id])) {
        const NodeId storage = StorageOf(graph, input);
        if (!kernels[k].Has(storage)) reads.insert(storage);
      }
    }
    for (const NodeId storage : reads) {
      all.readers[storage].push_back(k);
      if (all.maker[storage] != Dependencies::kNone) all.order.Need(k, all.maker[storage]);
    }
    all.reads.emplace_back(reads.begin(), reads.end());
  }
  std::vector<bool> is_output(graph.size());
  for (const auto& output : graph.outputs()) is_output[StorageOf(graph, output.value)] = true;
  for (const auto& update : graph.updates()) {
    const NodeId value = StorageOf(graph, update.value);
    const size_t maker = all.maker[value];
    Check(maker != Dependencies::kNone && !is_output[value], "an update without memory of its own");
    if (!CanOverwrite(program, all, maker, value, update.state)) continue;
    all.updates_in_place[value] = update.state;
    for (const size_t reader : all.readers[update.state]) {
      if (reader != maker) all.order.Need(maker, reader);
    }
  }
  Check(!all.order.HasCircle(), "kernels wait for each other in a circle");
  return all;
}

bool ReadsOnlyOwnElement(const Graph& graph, const Kernel& kernel, NodeId value, NodeId old) {
  const bool value_is_element = IsElement(graph, kernel, value);
  for (const NodeId id : kernel.members) {
    const Node& node = graph[id];
    for (const NodeId input : DataInputs(node)) {
      if (StorageOf(graph, input) != old) continue;
      if (node.info().kind != OpKind::kElementwise || graph[input].type.shape != node.type.shape) return false;
      if (node.type.shape != graph[value].type.shape || IsElement(graph, kernel, id) != value_is_element) return false;
      // Between a row's reductions, elements are computed again from operands, which must still be there.
      if (value_is_element && kernel.run_rank > 0) return false;
    }
  }
  return true;
}

}  // namespace fusebox
