// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/op.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

struct Table {
  std::vector<OpInfo> entries;  // By number; the first one is the error's.
  std::map<std::string_view, Op> by_name;
};

void Add(Table& table, OpInfo info) {
  if (info.op == Op::kError) {
    Check(table.entries.size() < 256, "more ops than numbers");
    info.op = Op(table.entries.size());
    table.entries.emplace_back();
  }
  OpInfo& entry = table.entries[size_t(info.op)];
  Check(entry.op == Op::kError, "an op has two entries");
  Check(table.by_name.emplace(info.name, info.op).second, "two ops have one name");
  entry = info;
}

const Table& TheTable() {
  static const auto* const kTable = [] {
    auto* table = new Table;
    table->entries.resize(size_t(Op::kFirstUnnamed));
    for (const auto family : {SourceOps(), ArithmeticOps(), LogicOps(), FunctionOps(), ConversionOps(), ReduceOps(),
                              MatMulOps(), MovementOps(), GatherOps(), RandomOps(), ControlOps()}) {
      for (const OpInfo& info : family) Add(*table, info);
    }
    const auto is_missing = [](const OpInfo& info) { return info.op == Op::kError; };
    Check(std::ranges::count_if(table->entries, is_missing) == 1, "an op has no entry in any table");
    return table;
  }();
  return *kTable;
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

const OpInfo& Info(Op op) { return TheTable().entries[size_t(op)]; }

std::span<const OpInfo> AllOps() { return std::span(TheTable().entries).subspan(1); }

bool IsOp(Op op) { return op != Op::kError && size_t(op) < TheTable().entries.size(); }

std::optional<Op> OpFromName(std::string_view name) {
  const auto& by_name = TheTable().by_name;
  const auto it = by_name.find(name);
  return it != by_name.end() ? std::optional(it->second) : std::nullopt;
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
