// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/expand/expand.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/item_function.h"
#include "fusebox/runtime/expand/plugin_call.h"
#include "fusebox/runtime/plugins/registry.h"

namespace fusebox {
namespace {

bool IsOurs(std::string_view id) { return id.starts_with("fusebox/"); }
bool IsKnown(const ItemUse& use) { return Registry::Default().Find(use.kind, use.item.id).ok(); }

// Expands an item by its plugin or its function.
Value Expanded(HostBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name) {
  if (use.item.function) return CallFunction(builder, use, inputs, name);
  return ExpandItem(builder, Registry::Default(), use.kind, use.item, inputs, name, use.training, use.frozen);
}

// The key under which symbols are kept. A function does not know of training and has no weights to freeze; but a
// metric's symbols may depend on a mask of y_pred.
std::string KeyOf(ItemUse use, const std::vector<Type>& types, const Type& mask) {
  if (!IsFunction(use.item)) return ExpansionKey(use, types);
  use.training = use.frozen = false;
  return ExpansionKey(use, types) + (mask.dtype != DType::kError ? " masked " + ToString(mask) : "");
}

// Writes the item's symbols into a graph of their own. A mask is one more input.
absl::StatusOr<std::string> Separately(const ItemUse& use, const std::vector<Type>& types, const Type& mask) {
  HostBuilder builder;
  HostBuilder::Shared shared{kSharedScope, {}};
  if (use.kind == FB_OPTIMIZER) builder.shared = &shared;
  Values inputs;
  for (size_t i = 0; i < types.size(); ++i) inputs.push_back(builder.Input(std::to_string(i), types[i]));
  if (mask.dtype != DType::kError) {
    builder.masks.assign(types.size(), 0);
    builder.masks[1] = builder.Input(std::to_string(types.size()), mask).id;
  }
  const NodeId first = builder.graph().size();
  builder.Output("y", Expanded(builder, use, inputs, ""));
  for (size_t i = 0; i < builder.losses.size(); ++i) builder.Output(fmt::format("loss_{}", i), builder.losses[i]);
  FillScalars(builder, first, use.item);
  if (!builder.status().ok()) return builder.status();
  return Print(std::move(builder).Take());
}

// The symbols that were kept for the item; none, if there are none for this key. Takes HostBuilder::masks.
std::optional<Value> FromKept(HostBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name,
                              const std::string& key, const Expansions& embedded) {
  const HostBuilder::Scope scope(builder, name);
  const auto fail = [&](std::string message) { return builder.Wrap(builder.Fail(std::move(message))); };
  const std::vector<NodeId> masks = std::exchange(builder.masks, {});
  if (!IsFunction(use.item) && std::ranges::any_of(masks, [](NodeId each) { return each != 0; })) {
    return fail(
        fmt::format("'{}': the symbols stored for {} know of no masks, and an input has one: its plugin is needed",
                    builder.scope(), use.item.id));
  }
  const auto it = embedded.texts.find(key);
  if (it == embedded.texts.end()) return std::nullopt;
  const absl::StatusOr<Graph> graph = Parse(it->second);
  if (!graph.ok()) {
    return fail(
        fmt::format("'{}', the symbols stored for {}: {}", builder.scope(), use.item.id, Message(graph.status())));
  }
  const std::string outer =
      std::exchange(builder.who, fmt::format("'{}', {} {}: ", builder.scope(), KindName(use.kind), use.item.id));
  const Value value = InlineExpansion(builder, *graph, inputs);
  builder.who = outer;
  return value;
}

}  // namespace

absl::StatusOr<ItemSpec> ResolveItem(uint32_t kind, const ItemSpec& spec, const Expansions& embedded) {
  if (spec.function) return spec;
  absl::StatusOr<ItemSpec> resolved = Registry::Default().Resolve(kind, spec);
  if (resolved.ok() || !absl::IsNotFound(resolved.status())) return resolved;
  const std::string start = fmt::format("{} {}", KindName(kind), Print(spec));
  const auto it = embedded.texts.lower_bound(start);
  if (it != embedded.texts.end() && it->first.starts_with(start + " ")) return spec;
  if (IsFunction(spec)) {
    return Refuse("{} is a C++ function of the program that made the model, and its symbols were not kept",
                  ShortName(spec.id));
  }
  return resolved;
}

Value ExpandUse(HostBuilder& builder, const ItemUse& use, const Values& given, const std::string& name,
                const Expansions& embedded) {
  for (const Value& input : given) {
    if (!input.ok()) return builder.Wrap(0);
  }
  const bool is_function = IsFunction(use.item);
  const bool compares = is_function && (use.kind == FB_LOSS || use.kind == FB_METRIC);
  const Values inputs = compares ? LinedUp(builder, name, given) : given;
  std::vector<Type> types;
  for (const Value& input : inputs) types.push_back(builder.graph()[input.id].type);
  const bool masked = use.kind == FB_METRIC && builder.masks.size() == inputs.size() && builder.masks[1] != 0;
  const NodeId mask = is_function && masked ? builder.masks[1] : 0;
  const Type mask_type = mask != 0 ? builder.graph()[mask].type : Type();
  const std::string key = KeyOf(use, types, mask_type);
  if (!use.item.function && !IsOurs(use.item.id) && !IsKnown(use)) {
    Values all = inputs;
    if (mask != 0) all.push_back(builder.Wrap(mask));
    const std::optional<Value> value = FromKept(builder, use, all, name, key, embedded);
    if (value) return *value;
  }
  const NodeId first = builder.graph().size();
  if (!use.item.function && is_function) {
    return builder.Wrap(builder.Fail(
        fmt::format("'{}': the symbols of this C++ function were kept for other inputs than ({})", name,
                    fmt::join(types | std::views::transform([](const Type& type) { return ToString(type); }), ", "))));
  }
  const Value value = Expanded(builder, use, inputs, name);
  if (!value.ok()) return value;
  FillScalars(builder, first, use.item);
  if (ExpansionRecorder* const recorder = ExpansionRecorder::Innermost(); recorder != nullptr && !IsOurs(use.item.id)) {
    absl::StatusOr<std::string> text = Separately(use, types, mask_type);
    if (text.ok()) recorder->expansions.texts[key] = *std::move(text);
  }
  return value;
}

}  // namespace fusebox
