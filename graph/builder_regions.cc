// SPDX-License-Identifier: Apache-2.0
// Branches and loops while they are written: their nodes are emitted into the graph like any others, and moved into a
// region of a node when all of it is known. What a loop's body makes without its parameters stays outside, where it is
// computed once; of a branch all moves, so that it is computed only when it is taken.
#include <algorithm>
#include <utility>

#include "fusebox/graph/builder.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/regions.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

bool IsBound(const Node& node) { return node.op == Op::kState || node.op == Op::kInput || node.op == Op::kRows; }

}  // namespace

void GraphBuilder::BeginRegion() { open_.push_back({graph_.size(), assignments_}); }

NodeId GraphBuilder::Parameter(const Type& type) {
  if (open_.empty()) return Fail("asks for a parameter outside of a region");
  Node node{.op = Op::kInput, .type = type, .scope = scope_};
  node.attributes.Set("name", fmt::format("a parameter of region {}.{}", open_.size(), graph_.size()));
  open_.back().parameters.push_back(graph_.Add(std::move(node)));
  return open_.back().parameters.back();
}

void GraphBuilder::EndRegion(std::vector<NodeId> results) {
  if (open_.empty()) {
    Fail("ends a region that did not begin");
    return;
  }
  Region region = std::move(open_.back());
  open_.pop_back();
  if (region.assignments != assignments_) Fail("changes a state within a loop or branch, which can only return values");
  region.results = std::move(results);
  ended_.push_back(std::move(region));
}

std::vector<std::vector<bool>> GraphBuilder::FindMoving(Op op, const std::vector<Region>& regions,
                                                        std::vector<NodeId>& captured) {
  std::vector<std::vector<bool>> all;
  for (const Region& region : regions) {
    // Constants and what is made from them alone are not worth an operand.
    std::vector<bool> moves(graph_.size()), constant(graph_.size()), needed(graph_.size());
    for (const NodeId parameter : region.parameters) moves[parameter] = true;
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      const auto inputs_all = [&](const std::vector<bool>& are) {
        return std::ranges::all_of(node.inputs, [&](NodeId i) { return are[i]; });
      };
      constant[id] =
          !IsBound(node) && !IsGone(id) && node.regions.empty() && node.op != Op::kResult && inputs_all(constant);
      const bool depends = std::ranges::any_of(node.inputs, [&](NodeId i) { return moves[i] && !constant[i]; });
      const bool of_branch = op == Op::kCond && id >= region.first && !IsBound(node);
      if (constant[id] || depends || of_branch) moves[id] = true;
    }
    for (const NodeId result : region.results) needed[result] = true;
    for (NodeId id = graph_.size() - 1; id > 0; --id) {
      if (!needed[id]) continue;
      if (moves[id]) {
        for (const NodeId input : graph_[id].inputs) needed[input] = true;
      } else if (std::ranges::find(captured, id) == captured.end()) {
        captured.push_back(id);
      }
    }
    for (NodeId id = 1; id < graph_.size(); ++id) moves[id] = moves[id] && needed[id];
    all.push_back(std::move(moves));
  }
  std::ranges::sort(captured);
  return all;
}

Graph GraphBuilder::MoveOut(const Region& region, const std::vector<bool>& moves, const std::vector<NodeId>& operands,
                            size_t first_captured) const {
  Graph body;
  std::vector<NodeId> image(graph_.size());
  for (size_t i = 0; i < region.parameters.size(); ++i) {
    if (moves[region.parameters[i]]) {
      image[region.parameters[i]] = body.Add(RegionInput(i, graph_[region.parameters[i]].type));
    }
  }
  const auto image_of = [&](NodeId id) {
    if (image[id] == 0) {
      const auto operand = std::find(operands.begin() + int64_t(first_captured), operands.end(), id);
      Check(operand != operands.end(), "a region takes what is no operand of it");
      image[id] = body.Add(RegionInput(size_t(operand - operands.begin()), graph_[id].type));
    }
    return image[id];
  };
  for (NodeId id = 1; id < graph_.size(); ++id) {
    if (!moves[id] || image[id] != 0) continue;
    std::vector<NodeId> inputs;
    for (const NodeId input : graph_[id].inputs) inputs.push_back(image_of(input));
    image[id] = Keep(body, graph_[id], std::move(inputs));
  }
  for (size_t i = 0; i < region.results.size(); ++i) body.AddOutput(std::to_string(i), image_of(region.results[i]));
  return body;
}

// Whoever still asks for one of these values is told that it is known inside only: see Emit.
void GraphBuilder::Forget(const Region& region, const std::vector<bool>& moves) {
  gone_.resize(graph_.size());
  for (NodeId id = region.first; id < moves.size(); ++id) {
    const bool is_parameter = std::ranges::find(region.parameters, id) != region.parameters.end();
    if (!is_parameter && !moves[id]) continue;
    gone_[id] = true;
    Node nothing{.op = Op::kConstant, .type = {graph_[id].type.dtype, {}}};
    nothing.attributes.Set("value", 0.0);
    graph_.mutable_node(id) = std::move(nothing);
  }
}

Graph GraphBuilder::Take() && {
  if (gone_.empty()) return std::move(graph_);
  Graph kept;
  kept.metadata = graph_.metadata;
  std::vector<NodeId> image(graph_.size());
  for (NodeId id = 1; id < graph_.size(); ++id) {
    if (IsGone(id)) continue;
    std::vector<NodeId> inputs;
    for (const NodeId input : graph_[id].inputs) inputs.push_back(image[input]);
    image[id] = Keep(kept, graph_[id], std::move(inputs));
  }
  std::vector<Graph::Output> outputs = graph_.outputs();
  std::vector<Graph::Update> updates = graph_.updates();
  for (auto& output : outputs) output.value = image[output.value];
  for (auto& [state, value] : updates) {
    state = image[state];
    value = image[value];
  }
  kept.ReplaceResults(std::move(outputs), std::move(updates));
  return kept;
}

NodeId GraphBuilder::Control(Node node, const FbSource* source, uint32_t* results) {
  *results = 0;
  const size_t count = size_t(node.info().regions);
  if (node.info().kind != OpKind::kControl || ended_.size() < count || count == 0) {
    return Fail(fmt::format("{}: expects {} regions, and {} have ended", node.info().name, count, ended_.size()),
                source);
  }
  const std::vector<Region> regions(ended_.end() - int64_t(count), ended_.end());
  ended_.resize(ended_.size() - count);
  if (!status_.ok()) return 0;
  const auto is_missing = [&](NodeId id) { return id == 0 || id >= graph_.size(); };
  for (const Region& region : regions) {
    if (std::ranges::any_of(region.results, is_missing)) {
      return Fail(fmt::format("{}: a region returns what is no value of this graph", node.info().name), source);
    }
  }
  if (std::ranges::any_of(node.inputs, is_missing)) {
    return Fail(fmt::format("{}: an operand does not exist", node.info().name), source);
  }
  const size_t first_captured = node.inputs.size();
  std::vector<NodeId> captured;
  const std::vector<std::vector<bool>> moves = FindMoving(node.op, regions, captured);
  const auto is_of_another_region = [&](NodeId id) {
    const auto has = [id](const Region& r) { return std::ranges::find(r.parameters, id) != r.parameters.end(); };
    return IsGone(id) || std::ranges::any_of(regions, has);
  };
  if (std::ranges::any_of(captured, is_of_another_region)) {
    return Fail(
        fmt::format("{}: an operand was made within a loop or branch, and is known only there", node.info().name),
        source);
  }
  node.inputs.insert(node.inputs.end(), captured.begin(), captured.end());
  for (size_t i = 0; i < count; ++i) node.regions.push_back(MoveOut(regions[i], moves[i], node.inputs, first_captured));
  std::vector<Type> operands;
  for (const NodeId input : node.inputs) operands.push_back(graph_[input].type);
  absl::StatusOr<std::vector<Type>> types = ResultTypes(node, operands);
  if (!types.ok()) return Fail(fmt::format("{}: {}", node.info().name, Message(types.status())), source);
  node.type = types->front();
  const NodeId id = Emit(std::move(node), source);
  if (id == 0) return 0;
  for (size_t i = 0; i < count; ++i) Forget(regions[i], moves[i]);
  *results = uint32_t(types->size());
  return id;
}

NodeId GraphBuilder::Result(NodeId control, int64_t index, const FbSource* source) {
  if (control == 0 || index == 0) return control;
  if (control >= graph_.size()) return Fail("result: no such value", source);
  std::vector<Type> operands;
  for (const NodeId input : graph_[control].inputs) operands.push_back(graph_[input].type);
  const absl::StatusOr<std::vector<Type>> types = ResultTypes(graph_[control], operands);
  if (!types.ok() || size_t(index) >= types->size()) {
    return Fail(fmt::format("result: {} has no result {}", graph_[control].info().name, index), source);
  }
  Node node{.op = Op::kResult, .type = (*types)[size_t(index)], .inputs = {control}};
  node.attributes.Set("index", index);
  return Emit(std::move(node), source);
}

}  // namespace fusebox
