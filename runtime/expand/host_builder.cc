// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/expand/host_builder.h"

#include <algorithm>
#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

HostBuilder& Self(FbBuilder* b) { return *static_cast<HostBuilder*>(b); }

// ---- What this class changes in the table. Plugins call these, and nothing may be thrown through them.

FbId ExpandReference(FbBuilder* b, uint32_t kind, const char* reference, const FbId* inputs, uint32_t count,
                     const FbSource* source) noexcept {
  HostBuilder& builder = Self(b);
  if (!builder.expand || reference == nullptr)
    return builder.Fail("refers to another item, and none are known here", source);
  const std::vector<NodeId> ids(inputs, inputs + count);
  if (std::ranges::find(ids, 0u) != ids.end()) return 0;
  return builder.expand(builder, kind, reference, ids);
}

FbId FindPreimage(FbBuilder* b, FbId value, const char* activation) noexcept {
  return Self(b).Preimage(value, activation != nullptr ? activation : "");
}

void AddLossTerm(FbBuilder* b, FbId value) noexcept { Self(b).AddLoss(Self(b).Wrap(value)); }

void SetMaskOfResult(FbBuilder* b, FbId mask) noexcept { Self(b).SetMask(Self(b).Wrap(mask)); }

}  // namespace

const FbApi& HostBuilder::Api() {
  static const FbApi api = [] {
    FbApi table = GraphBuilder::Api();
    table.expand = ExpandReference;
    table.preimage = FindPreimage;
    table.add_loss = AddLossTerm;
    table.set_mask = SetMaskOfResult;
    return table;
  }();
  return api;
}

HostBuilder* HostBuilder::Of(const Value& value) {
  return value.api == &Api() ? static_cast<HostBuilder*>(value.builder) : nullptr;
}

Value HostBuilder::State(const std::string& name, uint32_t kind, const Type& type, const std::string& initializer,
                         const StateTraits& traits, const FbSource* source) {
  if (shared != nullptr && (kind == FB_SCALAR || kind == FB_COUNTER || traits.shared)) {
    if (const auto known = shared->states.find(name); known != shared->states.end()) return Wrap(known->second);
    Shared* const all = std::exchange(shared, nullptr);
    const AbsoluteScope scope(*this, all->scope);
    const Value made = State(name, kind, type, initializer, traits, source);
    shared = all;
    if (made.ok()) all->states[name] = made.id;
    return made;
  }
  const std::string full = scope().empty() ? name : scope() + "/" + name;
  const NodeId known = again != nullptr && again->contains(full) ? graph().FindNamed(Op::kState, full) : 0;
  if (known == 0) return GraphBuilder::State(name, kind, type, initializer, traits, source);
  if (graph()[known].type != type) {
    return Wrap(Fail(fmt::format("'{}' is {} since an earlier call, and now needed as {}", full,
                                 ToString(graph()[known].type), ToString(type)),
                     source));
  }
  const NodeId now = graph().update_of(known) != 0 ? graph().update_of(known) : known;
  current_of_[now] = known;
  return Wrap(now);
}

void HostBuilder::Assign(Value state, Value next) {
  if (const auto of = current_of_.find(state.id); of != current_of_.end()) state.id = of->second;
  GraphBuilder::Assign(state, next);
}

void HostBuilder::AddLoss(Value value) {
  if (!value.ok()) return;
  if (value.id >= graph().size() || graph()[value.id].type != Type{DType::kF32, {}}) {
    Fail(fmt::format("adds {} to the loss, f32[] expected",
                     value.id < graph().size() ? ToString(graph()[value.id].type) : "no value of this program"));
    return;
  }
  if (InRegion()) Fail("adds to the loss within a loop or branch, which can only return values");
  losses.push_back(value);
}

void HostBuilder::SetMask(Value value) {
  if (!value.ok()) return;
  if (value.id >= graph().size() || graph()[value.id].type.dtype != DType::kBool || graph()[value.id].type.rank() < 1) {
    Fail(fmt::format("sets {} as the mask of its result, bool[N, ...] expected",
                     value.id < graph().size() ? ToString(graph()[value.id].type) : "no value of this program"));
    return;
  }
  mask = value.id;
}

void HostBuilder::RecordActivation(const std::string& activation, NodeId input, NodeId output) {
  activations_.push_back({activation, input, output});
}

NodeId HostBuilder::Preimage(NodeId output, std::string_view activation) const {
  const auto it = std::ranges::find_if(activations_,
                                       [&](const Activation& a) { return a.output == output && a.name == activation; });
  return it != activations_.end() ? it->input : 0;
}

}  // namespace fusebox
