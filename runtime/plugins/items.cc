// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/items.h"

#include <algorithm>
#include <exception>
#include <ranges>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/plugins/expand.h"
#include "fusebox/runtime/plugins/registry.h"
#include "fusebox/runtime/programs/program.h"

namespace fusebox {
namespace {

thread_local ExpansionRecorder* recorder = nullptr;

bool IsOurs(std::string_view id) { return id.starts_with("fusebox/"); }
bool IsKnown(const ItemUse& use) { return Registry::Default().Find(use.kind, use.item.id).ok(); }

// Scalars made since `first`: their first value is the attribute of their name.
void FillScalars(GraphBuilder& builder, NodeId first, const ItemSpec& item) {
  for (NodeId i = first; i < builder.graph().size(); ++i) {
    Node& node = builder.mutable_graph().mutable_node(i);
    if (node.op != Op::kState || node.attributes.String("initializer") != "attribute") continue;
    const std::string& full = node.attributes.String("name");
    const std::string name = full.substr(full.rfind('/') + 1);
    const auto it = item.attributes.find(name);
    double number = 0;
    if (it != item.attributes.end() && std::holds_alternative<double>(it->second)) {
      number = std::get<double>(it->second);
    } else if (it != item.attributes.end() && std::holds_alternative<int64_t>(it->second)) {
      number = double(std::get<int64_t>(it->second));
    } else {
      builder.Fail(fmt::format("{}: declares the scalar '{}', which is none of its numbers", item.id, name));
      return;
    }
    node.attributes.Set("initializer", fmt::format("{}", number));
  }
}

// What a user's function writes. It may not throw; one that does all the same must not take the host along.
Value CallFunction(GraphBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name) {
  const GraphBuilder::Scope scope(builder, name);
  const std::string* const called = TextAttribute(use.item, "called");
  const std::string outer =
      std::exchange(builder.who, use.kind == FB_LAYER
                                     ? fmt::format("'{}', {}: ", builder.scope(), ShortName(use.item.id))
                                     : fmt::format("{} '{}': ", KindName(use.kind), called != nullptr ? *called : ""));
  Value made;
  try {
    made = (*use.item.function)(inputs);
  } catch (const std::exception& e) {
    made = builder.Wrap(builder.Fail(fmt::format("its function threw: {}", e.what())));
  } catch (...) {
    made = builder.Wrap(builder.Fail("its function threw"));
  }
  if (!made.ok()) {
    builder.Fail("its function returned no value");  // Unless it has told more.
    made = builder.Wrap(0);
  } else if (GraphBuilder::Of(made) != &builder) {
    made = builder.Wrap(builder.Fail("its function returned a value of another graph"));
  }
  builder.who = outer;
  builder.masks.clear();  // RunningMean asks for them.
  return made;
}

// By its plugin, or its function.
Value Expanded(GraphBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name) {
  if (use.item.function) return CallFunction(builder, use, inputs, name);
  return ExpandItem(builder, Registry::Default(), use.kind, use.item, inputs, name, use.training, use.frozen);
}

// y_true and y_pred of different ranks, as Keras does it for functions: [N] gets a last axis of 1, any other loses it.
Values LinedUp(GraphBuilder& builder, const std::string& name, Values inputs) {
  const GraphBuilder::Scope scope(builder, name);
  const auto adjust = [](Value& one, Value& other) {
    if (one.rank() != other.rank() + 1 || one.dim(-1) != 1) return;
    Dims dims = one.dims();
    dims.pop_back();
    if (other.rank() == 1) {
      other = Reshape(other, {other.dim(0), 1});
    } else {
      one = Reshape(one, dims);
    }
  };
  adjust(inputs[0], inputs[1]);
  adjust(inputs[1], inputs[0]);
  return inputs;
}

// By which symbols are kept. A function knows of no training, and has no weights to freeze; but what a metric makes may
// depend on a mask of y_pred.
std::string KeyOf(ItemUse use, const std::vector<Type>& types, const Type& mask) {
  if (!IsFunction(use.item)) return ExpansionKey(use, types);
  use.training = use.frozen = false;
  return ExpansionKey(use, types) + (mask.dtype != DType::kError ? " masked " + ToString(mask) : "");
}

// The item's symbols in a graph of their own. A mask is one input more.
absl::StatusOr<std::string> Separately(const ItemUse& use, const std::vector<Type>& types, const Type& mask) {
  GraphBuilder builder;
  GraphBuilder::Shared shared{kSharedScope, {}};
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

}  // namespace

ExpansionRecorder::ExpansionRecorder() : outer_(std::exchange(recorder, this)) {}
ExpansionRecorder::~ExpansionRecorder() { recorder = outer_; }

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

bool HasClassLabels(const ItemSpec& spec, uint32_t kind) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(kind, spec.id);
  return item.ok() && ((*item)->flags & FB_CLASS_LABELS) != 0;
}

bool HasClassesOfAnyNumber(const ItemSpec& loss) {
  constexpr uint32_t kBoth = FB_CLASS_LABELS | FB_CLASS_LABELS_BY_SHAPE;
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_LOSS, loss.id);
  return item.ok() && ((*item)->flags & kBoth) == kBoth;
}

bool TakesClasses(const ItemSpec& spec, const Shape& y, const Shape& output, uint32_t kind) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(kind, spec.id);
  if (!item.ok() || y.empty() || output.empty()) return false;
  const bool one_each = y.size() + 1 == output.size() || (y.size() == output.size() && y.back() == 1);
  if (((*item)->flags & FB_CLASS_LABELS) != 0) return one_each;
  return ((*item)->flags & FB_CLASS_LABELS_BY_SHAPE) != 0 && one_each && output.back() != 1;
}

std::optional<int64_t> IgnoredClass(const ItemSpec& loss) {
  const auto it = loss.attributes.find("ignore_class");
  const int64_t* const number = it != loss.attributes.end() ? std::get_if<int64_t>(&it->second) : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

bool KeepsMask(const ItemSpec& layer) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_LAYER, layer.id);
  return item.ok() && ((*item)->flags & FB_KEEPS_MASK) != 0;
}

Value ExpandUse(GraphBuilder& builder, const ItemUse& use, const Values& given, const std::string& name,
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
    const GraphBuilder::Scope scope(builder, name);
    const std::vector<NodeId> masks = std::exchange(builder.masks, {});
    if (!is_function && std::ranges::any_of(masks, [](NodeId each) { return each != 0; })) {
      return builder.Wrap(builder.Fail(
          fmt::format("'{}': the symbols stored for {} know of no masks, and an input has one: its plugin is needed",
                      builder.scope(), use.item.id)));
    }
    const auto it = embedded.texts.find(key);
    if (it != embedded.texts.end()) {
      const absl::StatusOr<Graph> graph = Parse(it->second);
      if (!graph.ok()) {
        return builder.Wrap(builder.Fail(
            fmt::format("'{}', the symbols stored for {}: {}", builder.scope(), use.item.id, Message(graph.status()))));
      }
      const std::string outer =
          std::exchange(builder.who, fmt::format("'{}', {} {}: ", builder.scope(), KindName(use.kind), use.item.id));
      Values all = inputs;
      if (mask != 0) all.push_back(builder.Wrap(mask));
      const Value value = InlineExpansion(builder, *graph, all);
      builder.who = outer;
      return value;
    }
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
  if (recorder != nullptr && !IsOurs(use.item.id)) {
    absl::StatusOr<std::string> text = Separately(use, types, mask_type);
    if (text.ok()) recorder->expansions.texts[key] = *std::move(text);
  }
  return value;
}

}  // namespace fusebox
