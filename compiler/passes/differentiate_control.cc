// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/differentiate_control.h"

#include <utility>

#include "fusebox/compiler/passes/sweep.h"
#include "fusebox/graph/regions.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

using Gradients = std::map<size_t, Value>;  // By result.

// A region of the gradient's node. It computes what `forward` computes, and from there goes back to its operands.
class Backward {
 public:
  explicit Backward(const Graph& forward) : forward_(forward) {}

  // The next input of the region.
  Value Input(const Type& type) { return region_.Wrap(region_.mutable_graph().Add(RegionInput(inputs_++, type))); }

  // Writes the forward part, with these values for its operands.
  void Compute(const Values& operands) {
    const std::vector<bool> needed = Reachable(forward_);
    std::vector<NodeId> image(forward_.size());
    for (NodeId id = 1; id < forward_.size(); ++id) {
      if (!needed[id]) continue;
      if (forward_[id].op == Op::kInput) {
        image[id] = operands[OperandOf(forward_[id])].id;
        continue;
      }
      std::vector<NodeId> inputs;
      for (const NodeId input : forward_[id].inputs) inputs.push_back(image[input]);
      image[id] = Keep(region_.mutable_graph(), forward_[id], std::move(inputs));
    }
    for (const auto& output : forward_.outputs()) outputs_.push_back(image[output.value]);
  }

  // Writes the gradients by these values of the region, from those by outputs of the forward part; zeros where none
  // flows.
  absl::StatusOr<Values> Derive(const Gradients& dys, const Values& wanted) {
    std::map<NodeId, Value> seeds;
    for (const auto& [output, dy] : dys) {
      const auto [at, is_first] = seeds.emplace(outputs_[output], dy);
      if (!is_first) at->second = at->second + dy;
    }
    std::vector<NodeId> ids;
    for (const Value& x : wanted) ids.push_back(x.id);
    Sweep sweep(region_, seeds, ids, ControlGradients);
    FUSEBOX_RETURN_IF_ERROR(sweep.Run());
    Values gradients;
    for (const NodeId x : ids) {
      const NodeId gradient = sweep.gradient(x);
      gradients.push_back(gradient != 0 ? region_.Wrap(gradient) : ZerosLike(region_, region_.graph()[x].type));
    }
    return gradients;
  }

  absl::StatusOr<Graph> Return(const Values& results) && {
    for (size_t i = 0; i < results.size(); ++i) region_.Output(std::to_string(i), results[i]);
    if (!region_.status().ok()) return region_.status();
    return Rewrite(std::move(region_).Take(), Keep);
  }

 private:
  const Graph& forward_;
  GraphBuilder region_;
  size_t inputs_ = 0;
  std::vector<NodeId> outputs_;
};

std::vector<Type> TypesOf(const Graph& graph, const std::vector<NodeId>& values) {
  std::vector<Type> types;
  for (const NodeId value : values) types.push_back(graph[value].type);
  return types;
}

// Emits the node, and returns all its results.
absl::StatusOr<Values> EmitAll(GraphBuilder& builder, Node node) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Type> types, ResultTypes(node, TypesOf(builder.graph(), node.inputs)));
  node.type = types.front();
  const NodeId id = builder.Emit(std::move(node));
  Values results;
  for (size_t i = 0; i < types.size(); ++i) results.push_back(builder.Wrap(builder.Result(id, int64_t(i), nullptr)));
  return results;
}

Gradients OfFloats(const GraphBuilder& builder, const Gradients& dys) {
  Gradients floats;
  for (const auto& [result, dy] : dys) {
    if (IsFloat(builder.graph()[dy.id].type.dtype)) floats.emplace(result, dy);
  }
  return floats;
}

absl::StatusOr<Values> OfCond(GraphBuilder& builder, const Node& node, const Gradients& dys,
                              const std::vector<bool>& wanted) {
  Node back{.op = Op::kCond, .inputs = node.inputs};
  for (const auto& [result, dy] : dys) back.inputs.push_back(dy.id);
  const std::vector<Type> types = TypesOf(builder.graph(), back.inputs);
  for (const Graph& branch : node.regions) {
    Backward backward(branch);
    Values operands, by;
    for (const Type& type : types) operands.push_back(backward.Input(type));
    backward.Compute(operands);
    Gradients seeds;
    for (size_t next = node.inputs.size(); const auto& [result, dy] : dys) seeds[result] = operands[next++];
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) by.push_back(operands[i]);
    }
    FUSEBOX_ASSIGN_OR_RETURN(const Values gradients, backward.Derive(seeds, by));
    FUSEBOX_ASSIGN_OR_RETURN(back.regions.emplace_back(), std::move(backward).Return(gradients));
  }
  FUSEBOX_ASSIGN_OR_RETURN(const Values results, EmitAll(builder, WithoutUnusedOperands(std::move(back), 1)));
  Values gradients(wanted.size());
  for (size_t i = 0, next = 0; i < wanted.size(); ++i) {
    if (wanted[i]) gradients[i] = results[next++];
  }
  return gradients;
}

// Makes a scan return the carries that are asked for as each iteration began with them, [length, ...].
std::vector<NodeId> KeepCarries(GraphBuilder& builder, NodeId scan, const std::vector<bool>& asked) {
  std::vector<NodeId> kept(asked.size());
  for (size_t i = 0; i < asked.size(); ++i) {
    if (!asked[i]) continue;
    Node& node = builder.mutable_graph().mutable_node(scan);
    const Type type = builder.graph()[node.inputs[i]].type;
    Graph& body = node.regions[0];
    NodeId carry = body.FindNamed(Op::kInput, std::to_string(i));
    if (carry == 0) carry = body.Add(RegionInput(i, type));
    const size_t index = body.outputs().size();
    body.AddOutput(std::to_string(index), carry);
    kept[i] = builder.Result(scan, int64_t(index), nullptr);
  }
  return kept;
}

// Which of the region's first inputs are used in it.
std::vector<bool> UsedInputs(const Graph& region, size_t first, size_t count) {
  std::vector<bool> used(count);
  for (NodeId id = 1; id < region.size(); ++id) {
    if (region[id].op != Op::kInput) continue;
    const size_t i = OperandOf(region[id]);
    if (i >= first && i < first + count) used[i - first] = true;
  }
  return used;
}

absl::StatusOr<Values> OfScan(GraphBuilder& builder, NodeId id, const Node& node, const Gradients& dys,
                              const std::vector<bool>& wanted) {
  const size_t carries = CarriesOf(node), sequences = SequencesOf(node), count = node.inputs.size();
  const int64_t length = node.attributes.Int("length");
  const std::vector<Type> types = TypesOf(builder.graph(), node.inputs);
  const auto is_sum = [&](size_t i) { return i >= carries + sequences && wanted[i]; };
  Node back{.op = Op::kScan};
  Backward backward(node.regions[0]);

  // The carries of the backward scan: the gradients of the carries, from the next iteration, and the sums so far.
  Gradients seeds, sums;
  for (size_t i = 0; i < carries; ++i) {
    if (!IsFloat(types[i].dtype)) continue;
    const auto dy = dys.find(i);
    back.inputs.push_back((dy != dys.end() ? dy->second : ZerosLike(builder, types[i])).id);
    seeds[i] = backward.Input(types[i]);
  }
  for (size_t i = carries; i < count; ++i) {
    if (!is_sum(i)) continue;
    back.inputs.push_back(ZerosLike(builder, types[i]).id);
    sums[i] = backward.Input(types[i]);
  }
  const size_t back_carries = back.inputs.size();
  // Its sequences: the kept carries, the sequences, and the gradients of what the scan returns for each iteration.
  Values operands;
  for (size_t i = 0; i < carries; ++i) operands.push_back(backward.Input(types[i]));
  for (size_t i = carries; i < carries + sequences; ++i) operands.push_back(backward.Input(EntryOf(types[i])));
  for (const auto& [result, dy] : dys) {
    if (result >= carries) seeds[result] = backward.Input(EntryOf(builder.graph()[dy.id].type));
  }
  // Operands that are the same in each iteration.
  for (size_t i = carries + sequences; i < count; ++i) operands.push_back(backward.Input(types[i]));

  backward.Compute(operands);
  Values by;
  for (size_t i = 0; i < count; ++i) {
    if (i < carries ? IsFloat(types[i].dtype) : bool(wanted[i])) by.push_back(operands[i]);
  }
  FUSEBOX_ASSIGN_OR_RETURN(const Values derived, backward.Derive(seeds, by));
  // In the order of the backward scan's results: carries first.
  Values returned, of_entries;
  std::vector<size_t> of_operand, entries;
  for (size_t i = 0, next = 0; i < count; ++i) {
    if (i < carries ? !IsFloat(types[i].dtype) : !wanted[i]) continue;
    const Value gradient = derived[next++];
    if (i >= carries && !is_sum(i)) {
      of_entries.push_back(gradient);
      entries.push_back(i);
      continue;
    }
    returned.push_back(is_sum(i) ? sums[i] + gradient : gradient);
    of_operand.push_back(i);
  }
  returned.insert(returned.end(), of_entries.begin(), of_entries.end());
  of_operand.insert(of_operand.end(), entries.begin(), entries.end());
  if (returned.empty()) return Values(count);
  FUSEBOX_ASSIGN_OR_RETURN(Graph region, std::move(backward).Return(returned));

  const std::vector<NodeId> kept = KeepCarries(builder, id, UsedInputs(region, back_carries, carries));
  back.inputs.insert(back.inputs.end(), kept.begin(), kept.end());
  back.inputs.insert(back.inputs.end(), node.inputs.begin() + int64_t(carries),
                     node.inputs.begin() + int64_t(carries + sequences));
  for (const auto& [result, dy] : dys) {
    if (result >= carries) back.inputs.push_back(dy.id);
  }
  back.attributes.Set("carries", int64_t(back_carries));
  back.attributes.Set("sequences", int64_t(back.inputs.size() - back_carries));
  back.attributes.Set("length", length);
  back.attributes.Set("reverse", !node.attributes.Flag("reverse"));
  back.inputs.insert(back.inputs.end(), node.inputs.begin() + int64_t(carries + sequences), node.inputs.end());
  back.regions.push_back(std::move(region));
  FUSEBOX_ASSIGN_OR_RETURN(const Values results,
                           EmitAll(builder, WithoutUnusedOperands(std::move(back), back_carries)));
  Values gradients(count);
  for (size_t i = 0; i < of_operand.size(); ++i) gradients[of_operand[i]] = results[i];
  return gradients;
}

}  // namespace

absl::StatusOr<Values> ControlGradients(GraphBuilder& builder, NodeId id, const std::map<size_t, Value>& dys,
                                        const std::vector<bool>& wanted) {
  const Node node = builder.graph()[id];  // A copy: the arena grows.
  const Gradients floats = OfFloats(builder, dys);
  if (floats.empty()) return Values(wanted.size());
  switch (node.op) {
    case Op::kCond:
      return OfCond(builder, node, floats, wanted);
    case Op::kScan:
      return OfScan(builder, id, node, floats, wanted);
    case Op::kWhile:
      return Refuse(
          "differentiate: a while{}{} is on the way to the loss, and has no gradient, as the number of its iterations "
          "is "
          "unknown; a scan has one",
          node.scope.empty() ? "" : " in ", node.scope);
    default:
      return Refuse("differentiate: a {} is on the way to the loss, and has to be inlined before", node.info().name);
  }
}

}  // namespace fusebox
