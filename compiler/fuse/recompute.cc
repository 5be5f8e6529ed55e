// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/recompute.h"

#include <algorithm>

#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox {
namespace {

// Cheaper to compute again than to store and load.
bool IsCheap(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.info().cost == Cost::kLess) return true;
  if (node.info().kind != OpKind::kElementwise) return false;
  if (node.type.dtype == DType::kBool) return true;
  if (node.op == Op::kCast && graph[node.inputs[0]].type.dtype == DType::kBool) return true;
  // A step of arithmetic on one array that lies in memory anyway, such as momentum * slot: loading it costs the same.
  const auto leaf = [&](NodeId input) { return IsLeaf(graph[input]); };
  const auto array = [&](NodeId input) { return graph[input].type.rank() > 0; };
  return node.info().cost == Cost::kSame && std::ranges::all_of(node.inputs, leaf) &&
         std::ranges::count_if(node.inputs, array) == 1;
}

}  // namespace

std::vector<bool> FindWaiting(const Graph& graph) {
  std::vector<int> users(graph.size());
  std::vector<bool> elementwise_user(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    for (const NodeId input : graph[id].inputs) {
      ++users[input];
      elementwise_user[input] = graph[id].info().kind == OpKind::kElementwise;
    }
  }
  for (const auto& output : graph.outputs()) ++users[output.value];
  for (const auto& update : graph.updates()) ++users[update.value];
  constexpr int64_t kMostWaiting = 64;  // Work that one kernel gets with a value that waits.
  std::vector<bool> waits(graph.size());
  std::vector<int64_t> work(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    work[id] = WorkOf(node);
    for (const NodeId input : node.inputs) work[id] += waits[input] ? work[input] : 0;
    const auto at_hand = [&](NodeId input) {
      return IsLeaf(graph[input]) || graph[input].type.rank() == 0 || waits[input];
    };
    const bool alone = node.info().kind == OpKind::kElementwise && node.type.rank() > 0 && users[id] == 1 &&
                       elementwise_user[id] && std::ranges::all_of(node.inputs, at_hand);
    waits[id] = (IsCheap(graph, id) || alone) && work[id] <= kMostWaiting;
  }
  return waits;
}

std::vector<bool> FindRowsInPlace(const Graph& graph, const std::vector<bool>& needed) {
  std::vector<bool> in_place(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    in_place[id] = graph[id].info().binding == Binding::kDataSet && graph[id].type.rank() > 1;
  }
  const auto is_read = [&](NodeId value) { in_place[StorageOf(graph, value)] = false; };
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (!needed[id] || IsView(node)) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const NodeId input = node.inputs[i], storage = StorageOf(graph, input);
      // A value that can be in place has rows; other values may be reshaped scalars.
      const bool as_rows = in_place[storage] && node.info().kind == OpKind::kMatMul && i == 0 &&
                           StorageOf(graph, node.inputs[1]) != storage &&
                           graph[input].type.shape[0] == graph[storage].type.shape[0];
      if (!as_rows) is_read(input);
    }
  }
  for (const auto& output : graph.outputs()) is_read(output.value);
  for (const auto& update : graph.updates()) is_read(update.value);
  return in_place;
}

}  // namespace fusebox
