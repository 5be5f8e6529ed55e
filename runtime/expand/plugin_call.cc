// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/expand/plugin_call.h"

#include <algorithm>
#include <utility>

#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/plugins/abi_attributes.h"
#include "fusebox/runtime/plugins/float_mode.h"

namespace fusebox {
namespace {

uint32_t Flags(bool training, bool frozen) {
  return (training ? uint32_t{FB_TRAINING} : 0u) | (frozen ? uint32_t{FB_FROZEN} : 0u);
}

constexpr int kDeepestReference = 32;  // An activation that refers to itself must end.

struct Request {
  const Registry& registry;
  uint32_t kind;
  const ItemSpec& spec;
  const std::string& name;
  uint32_t flags;  // Of the FbCall.
  const Type* wanted;
  int depth;
};

// Restores a value of the builder at the end of a scope.
template <class T>
class Restore {
 public:
  explicit Restore(T& place) : place_(place), saved_(place) {}
  ~Restore() { place_ = std::move(saved_); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T& place_;
  T saved_;
};

NodeId Expand(HostBuilder& builder, const Request& request, const std::vector<NodeId>& inputs);

// Calls the item's function. It may not throw; an exception of one that does is an error and not the end of the host.
NodeId Call(HostBuilder& builder, const PluginItem& item, const FbCall& call) {
  const FloatModeGuard float_mode;
  try {
    return item.expand(&call);
  } catch (const std::exception& e) {
    return builder.Fail(fmt::format("threw across the plugin's border: {}", e.what()));
  } catch (...) {
    return builder.Fail("threw across the plugin's border");
  }
}

NodeId ExpandKnown(HostBuilder& builder, const Request& request, const PluginItem& item,
                   const std::vector<NodeId>& inputs) {
  absl::StatusOr<ItemSpec> spec = request.registry.Resolve(request.kind, request.spec);
  if (!spec.ok()) {
    std::string message = Message(spec.status());
    if (message.starts_with(item.who() + ": "))
      message.erase(0, item.who().size() + 2);  // The builder's prefix has it already.
    return builder.Fail(std::move(message));
  }
  const Restore<HostBuilder::ExpandHook> outer_hook(builder.expand);
  builder.expand = [&](HostBuilder& b, uint32_t kind, std::string_view reference, std::vector<NodeId> ids) -> NodeId {
    if (request.depth >= kDeepestReference) return b.Fail("refers to items that refer to each other without end");
    const absl::StatusOr<ItemSpec> inner = ParseItemSpec(reference);
    if (!inner.ok()) return b.Fail(Message(inner.status()));
    const uint32_t named = request.registry.KindOfReference(kind, inner->id);
    // A layer in an activation's place has weights of its own, which Keras's files keep under this name.
    const std::string name = named != kind ? kActivationScope : "";
    const NodeId first = b.graph().size();
    const NodeId made =
        Expand(b, {request.registry, named, *inner, name, request.flags, nullptr, request.depth + 1}, ids);
    // The scalars of a layer in an activation's place are its own numbers, not those of the layer that refers to it.
    if (const auto resolved = request.registry.Resolve(named, *inner); named != kind && resolved.ok())
      FillScalars(b, first, *resolved);
    return made;
  };
  // The masks belong to the layer or metric itself, not to items that it refers to.
  const std::vector<NodeId> masks = std::exchange(builder.masks, {});
  const NodeId mask = builder.mask;
  const AbiAttributes attributes(item, spec->attributes);
  FbType wanted{};
  if (request.wanted != nullptr) wanted = ToAbi(*request.wanted);
  const std::string path = builder.scope();
  const FbCall call = {.struct_size = sizeof call,
                       .attribute_count = attributes.size(),
                       .input_count = uint32_t(inputs.size()),
                       .flags = request.flags,
                       .api = &HostBuilder::Api(),
                       .builder = &builder,
                       .attributes = attributes.data(),
                       .inputs = inputs.data(),
                       .wanted = request.wanted != nullptr ? &wanted : nullptr,
                       .path = path.c_str(),
                       .masks = masks.size() == inputs.size() ? masks.data() : nullptr};
  const NodeId id = Call(builder, item, call);
  if (request.depth > 0) builder.mask = mask;
  if (!builder.status().ok()) return 0;
  if (id == 0) return builder.Fail("returned no value");
  if (id >= builder.graph().size())
    return builder.Fail(fmt::format("returned the value {}, which this graph does not have", id));
  const Type& made = builder.graph()[id].type;
  if (request.wanted != nullptr && made != *request.wanted)
    return builder.Fail(fmt::format("was to make {}, and made {}", ToString(*request.wanted), ToString(made)));
  // Losses look for activations with default settings; a softmax along another axis, say, is none of these.
  const auto is_default = [&](const AttributeInfo& info) {
    const auto given = spec->attributes.find(info.name);
    return given == spec->attributes.end() || given->second == info.default_value;
  };
  if (item.kind == FB_ACTIVATION && std::ranges::all_of(item.attributes, is_default))
    builder.RecordActivation(item.id, inputs[0], id);
  return id;
}

NodeId Expand(HostBuilder& builder, const Request& request, const std::vector<NodeId>& inputs) {
  const HostBuilder::Scope scope(builder, request.name);
  const Restore<std::string> outer_who(builder.who);
  const std::string name = builder.scope().empty() ? "" : fmt::format("'{}', ", builder.scope());
  const absl::StatusOr<const PluginItem*> item = request.registry.Find(request.kind, request.spec.id);
  if (!item.ok()) {
    if (request.depth == 0) builder.who = name;
    return builder.Fail(Message(item.status()));
  }
  builder.who = fmt::format("{}{}: ", name, (*item)->who());
  return ExpandKnown(builder, request, **item, inputs);
}

// How many inputs a kind takes. Layers check theirs themselves; metrics may get the samples' weights besides.
size_t InputCount(uint32_t kind) {
  switch (kind) {
    case FB_INITIALIZER:
      return 0;
    case FB_LOSS:
    case FB_METRIC:
      return 2;
    case FB_OPTIMIZER:
      return 3;
    default:
      return 1;
  }
}

}  // namespace

void FillScalars(HostBuilder& builder, NodeId first, const ItemSpec& item) {
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

Value ExpandItem(HostBuilder& builder, const Registry& registry, uint32_t kind, const ItemSpec& spec,
                 const Values& inputs, const std::string& name, bool training, bool frozen) {
  Check(kind >= FB_LAYER && kind < FB_CALLBACK && kind != FB_INITIALIZER, "an item that is not made of inputs");
  const bool weighed = kind == FB_METRIC && inputs.size() == InputCount(kind) + 1;
  Check(kind == FB_LAYER ? !inputs.empty() : weighed || inputs.size() == InputCount(kind),
        "not as many inputs as the kind takes");
  std::vector<NodeId> ids;
  for (const Value& value : inputs) {
    if (!value.ok()) return builder.Wrap(0);
    Check(HostBuilder::Of(value) == &builder, "a value of another graph");
    ids.push_back(value.id);
  }
  return builder.Wrap(Expand(builder, {registry, kind, spec, name, Flags(training, frozen), nullptr, 0}, ids));
}

Value ExpandInitializer(HostBuilder& builder, const Registry& registry, const ItemSpec& spec, const Type& type,
                        const std::string& name) {
  return builder.Wrap(Expand(builder, {registry, FB_INITIALIZER, spec, name, 0, &type, 0}, {}));
}

}  // namespace fusebox
