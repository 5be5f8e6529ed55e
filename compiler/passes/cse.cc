// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/cse.h"

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>

#include "fusebox/compiler/passes/support.h"

namespace fusebox {
namespace {

std::string KeyOf(const AttributeValue& value) {
  // By its bits, so that a NaN equals itself, and 0 and -0 differ.
  if (const auto* real = std::get_if<double>(&value)) return std::to_string(std::bit_cast<uint64_t>(*real));
  if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("{}:{}", text->size(), *text);
  if (const auto* list = std::get_if<Ints>(&value)) return fmt::format("[{}]", fmt::join(*list, ","));
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return std::to_string(std::get<int64_t>(value));
}

// Two nodes are the same if and only if their keys are.
std::string KeyOf(const Node& node, std::vector<NodeId> inputs) {
  if (node.info().commutative) std::ranges::sort(inputs);
  std::string key = fmt::format("{} {} {}", node.info().name, fmt::join(inputs, " "), ToString(node.type));
  for (const auto& [name, value] : node.attributes) {
    if (value == AttributeValue(false)) continue;  // The same as none.
    key += fmt::format(" {}={}", name, KeyOf(value));
  }
  return key;
}

}  // namespace

absl::StatusOr<Graph> EliminateCommonSubexpressions(const Graph& graph) {
  if (absl::Status s = ExpectsNoGradients(graph, "cse"); !s.ok()) return s;
  std::unordered_map<std::string, NodeId> known;
  return Rewrite(graph, [&](Graph& copy, const Node& node, std::vector<NodeId> inputs) {
    if (!node.regions.empty()) return Keep(copy, node, std::move(inputs));
    NodeId& first = known[KeyOf(node, inputs)];
    if (first == 0) first = Keep(copy, node, std::move(inputs));
    return first;
  });
}

}  // namespace fusebox
