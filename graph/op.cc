// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/op.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "fusebox/graph/check.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

using Table = std::array<const OpInfo*, size_t(Op::kCount)>;

const Table& AllOps() {
  static const Table kTable = [] {
    static const OpInfo kError;
    Table table{};
    table[0] = &kError;
    for (const auto family : {SourceOps(), ElementwiseOps(), ReduceOps(), MatMulOps(), MovementOps(), GatherOps(),
                              RandomOps(), ControlOps()}) {
      for (const OpInfo& info : family) table[size_t(info.op)] = &info;
    }
    Check(std::ranges::find(table, nullptr) == table.end(), "an op has no entry in any table");
    return table;
  }();
  return kTable;
}

const char* TypeName(const AttributeValue& value) {
  constexpr const char* kNames[] = {"a bool", "an integer", "a number", "a string", "a list of integers"};
  return kNames[value.index()];
}

bool HasType(const AttributeValue& value, uint32_t type) {
  switch (type) {
    case FB_FLAG:
      return std::holds_alternative<bool>(value);
    case FB_INT:
      return std::holds_alternative<int64_t>(value);
    case FB_FLOAT:
      return std::holds_alternative<double>(value);
    case FB_STRING:
      return std::holds_alternative<std::string>(value);
    case FB_INTS:
      return std::holds_alternative<Ints>(value);
    default:
      return false;
  }
}

absl::Status CheckAttributes(const OpInfo& info, const AttributeMap& attributes) {
  for (const auto& [name, value] : attributes) {
    const auto spec =
        std::ranges::find_if(info.attributes, [&](const AttributeSpec& s) { return s.name && s.name == name; });
    if (spec == std::end(info.attributes)) {
      return Refuse("{}: has no attribute '{}'", info.name, name);
    }
    if (!HasType(value, spec->type)) {
      return Refuse("{}: attribute '{}' cannot be {}", info.name, name, TypeName(value));
    }
  }
  for (const AttributeSpec& spec : info.attributes) {
    if (spec.name != nullptr && spec.required && attributes.Find(spec.name) == nullptr) {
      return Refuse("{}: needs attribute '{}'", info.name, spec.name);
    }
  }
  return absl::OkStatus();
}

}  // namespace

const OpInfo& Info(Op op) { return *AllOps()[size_t(op)]; }

std::optional<Op> OpFromName(std::string_view name) {
  static const auto* const kByName = [] {
    auto* map = new std::map<std::string_view, Op>;
    for (const OpInfo* info : AllOps()) map->emplace(info->name, info->op);
    return map;
  }();
  const auto it = kByName->find(name);
  if (it == kByName->end() || it->second == Op::kError) return std::nullopt;
  return it->second;
}

absl::StatusOr<Type> InferType(Op op, const InferContext& context) {
  const OpInfo& info = Info(op);
  const size_t count = context.inputs.size();
  if (info.arity >= 0 ? count != size_t(info.arity) : count == 0) {
    return Refuse("{}: expects {} inputs, got {}", info.name, info.arity >= 0 ? std::to_string(info.arity) : "some",
                  count);
  }
  if (absl::Status s = CheckAttributes(info, context.attributes); !s.ok()) return s;
  absl::StatusOr<Type> type = info.infer(context);
  if (type.ok()) return type;
  return Refuse("{}: {}", info.name, Message(type.status()));
}

}  // namespace fusebox
