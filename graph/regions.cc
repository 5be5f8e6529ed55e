// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/regions.h"

#include <charconv>
#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

std::vector<Type> OutputTypes(const Graph& region) {
  std::vector<Type> types;
  for (const auto& output : region.outputs()) types.push_back(region[output.value].type);
  return types;
}

absl::StatusOr<std::vector<Type>> OfCond(const Node& node, const std::vector<Type>& operands) {
  if (operands.empty() || operands[0] != Type{DType::kBool, {}}) {
    return Refuse("expects a predicate bool[], got {}", operands.empty() ? "none" : ToString(operands[0]));
  }
  std::vector<Type> then = OutputTypes(node.regions[0]);
  const std::vector<Type> otherwise = OutputTypes(node.regions[1]);
  if (then.empty()) return Refuse("expects branches that return something");
  if (then.size() != otherwise.size()) {
    return Refuse("expects two branches of as many results, got {} and {}", then.size(), otherwise.size());
  }
  for (size_t i = 0; i < then.size(); ++i) {
    if (then[i] == otherwise[i]) continue;
    return Refuse("expects branches of the same types, result {} is {} in the one and {} in the other", i,
                  ToString(then[i]), ToString(otherwise[i]));
  }
  return then;
}

absl::Status CheckCarries(const std::vector<Type>& next, const std::vector<Type>& operands, size_t carries) {
  if (next.size() < carries) return Refuse("expects {} carries of its body, got {} values", carries, next.size());
  for (size_t i = 0; i < carries; ++i) {
    if (next[i] == operands[i]) continue;
    return Refuse("carry {} is {} at first, and {} when the body returns it", i, ToString(operands[i]),
                  ToString(next[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Type>> OfScan(const Node& node, const std::vector<Type>& operands) {
  const size_t carries = CarriesOf(node), sequences = SequencesOf(node);
  if (carries > operands.size() || sequences > operands.size() - carries) {
    return Refuse("has {} operands, and should have {} carries and {} sequences", operands.size(), carries, sequences);
  }
  const int64_t length = node.attributes.Int("length");
  for (size_t i = carries; i < carries + sequences; ++i) {
    if (operands[i].rank() == 0 || operands[i].shape[0] != length) {
      return Refuse("expects sequences of length {}, got {}", length == kBatch ? "N" : std::to_string(length),
                    ToString(operands[i]));
    }
  }
  const std::vector<Type> outputs = OutputTypes(node.regions[0]);
  if (outputs.empty()) return Refuse("expects a body that returns something");
  FUSEBOX_RETURN_IF_ERROR(CheckCarries(outputs, operands, carries));
  std::vector<Type> results(outputs.begin(), outputs.begin() + int64_t(carries));
  for (size_t i = carries; i < outputs.size(); ++i) {
    results.push_back(Stacked(length, outputs[i]));
    if (results.back().rank() > FB_MAX_RANK || !SymbolicProduct(results.back().shape)) {
      return Refuse("{} results of {} are too large, or have more than one symbolic axis", length,
                    ToString(outputs[i]));
    }
  }
  return results;
}

absl::StatusOr<std::vector<Type>> OfWhile(const Node& node, const std::vector<Type>& operands) {
  const size_t carries = CarriesOf(node);
  if (carries == 0 || carries > operands.size()) return Refuse("expects a carry");
  const std::vector<Type> goes_on = OutputTypes(node.regions[0]);
  std::vector<Type> next = OutputTypes(node.regions[1]);
  if (goes_on.size() != 1 || goes_on[0] != Type{DType::kBool, {}}) {
    return Refuse("expects a condition bool[], got {}", goes_on.empty() ? "none" : ToString(goes_on[0]));
  }
  if (next.size() != carries) return Refuse("expects {} carries of its body, got {} values", carries, next.size());
  FUSEBOX_RETURN_IF_ERROR(CheckCarries(next, operands, carries));
  return next;
}

}  // namespace

Type TypeInRegion(const Node& node, size_t i, const Type& operand) {
  const bool is_sequence =
      node.op == Op::kScan && i >= CarriesOf(node) && i < CarriesOf(node) + SequencesOf(node) && operand.rank() > 0;
  return is_sequence ? EntryOf(operand) : operand;
}

absl::StatusOr<std::vector<Type>> ResultTypes(const Node& node, const std::vector<Type>& operands) {
  if (node.regions.size() != size_t(node.info().regions)) {
    return Refuse("expected {} regions, found {}", node.info().regions, node.regions.size());
  }
  switch (node.op) {
    case Op::kCond:
      return OfCond(node, operands);
    case Op::kScan:
      return OfScan(node, operands);
    case Op::kWhile:
      return OfWhile(node, operands);
    default:
      break;
  }
  std::vector<Type> types = node.regions.empty() ? std::vector<Type>{} : OutputTypes(node.regions[0]);
  if (types.size() != 1) return Refuse("expected a region with 1 output, found {}", types.size());
  return types;
}

size_t OperandOf(const Node& region_input) {
  const std::string& name = region_input.attributes.String("name");
  size_t i = size_t(-1);
  std::from_chars(name.data(), name.data() + name.size(), i);
  return name == std::to_string(i) ? i : size_t(-1);
}

Node RegionInput(size_t i, Type type) {
  Node node{.op = Op::kInput, .type = std::move(type)};
  node.attributes.Set("name", std::to_string(i));
  return node;
}

Type Stacked(int64_t length, const Type& one) {
  Type all = one;
  all.shape.insert(all.shape.begin(), length);
  return all;
}

Type EntryOf(const Type& sequence) {
  Type one = sequence;
  one.shape.erase(one.shape.begin());
  return one;
}

int64_t TimesOf(const Node& node, int64_t batch) {
  return node.op == Op::kScan ? Resolve(node.attributes.Int("length"), batch) : 1;
}

Node WithoutUnusedOperands(Node node, size_t fixed) {
  std::vector<bool> used(node.inputs.size());
  for (size_t i = 0; i < fixed; ++i) used[i] = true;
  for (const Graph& region : node.regions) {
    const std::vector<bool> needed = Reachable(region);
    for (NodeId id = 1; id < region.size(); ++id) {
      if (needed[id] && region[id].op == Op::kInput) used[OperandOf(region[id])] = true;
    }
  }
  std::vector<size_t> number(node.inputs.size());
  std::vector<NodeId> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    number[i] = inputs.size();
    if (used[i]) inputs.push_back(node.inputs[i]);
  }
  if (node.op == Op::kScan) {
    int64_t sequences = 0;
    for (size_t i = CarriesOf(node); i < CarriesOf(node) + SequencesOf(node); ++i) sequences += used[i] ? 1 : 0;
    node.attributes.Set("sequences", sequences);
  }
  node.inputs = std::move(inputs);
  for (Graph& region : node.regions) {
    region = Rewrite(region, [&](Graph& copy, const Node& inner, std::vector<NodeId> operands) {
      if (inner.op == Op::kInput) return copy.Add(RegionInput(number[OperandOf(inner)], inner.type));
      return Keep(copy, inner, std::move(operands));
    });
  }
  return node;
}

}  // namespace fusebox
