// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/declare.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/data/layer_variables.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"

namespace fusebox {
namespace {

// Describes an input or layer that may not have a name yet, for error messages.
std::string NameOf(const SymbolicCall& call) {
  if (call.input) return call.input->name.empty() ? "an input" : fmt::format("input '{}'", call.input->name);
  if (!call.layer.name.empty()) return fmt::format("layer '{}'", call.layer.name);
  return fmt::format("layer {}", call.layer.item.id.empty() ? call.layer.model->name : call.layer.item.id);
}

// All values that a model computes: outputs, losses, metrics.
std::vector<SymbolicTensor> Roots(const Declaration& declared) {
  std::vector<SymbolicTensor> roots = declared.outputs;
  roots.insert(roots.end(), declared.losses.begin(), declared.losses.end());
  for (const auto& [value, name] : declared.metrics) roots.push_back(value);
  return roots;
}

// The calls that the outputs need, in the order in which they were made. So each call comes after those that it needs.
class Reached {
 public:
  absl::Status Find(const Declaration& declared) {
    for (const SymbolicTensor& input : declared.inputs) {
      if (!input.call() || !input.call()->input) {
        return Refuse("its inputs need to come from fb::Input, and one {}",
                      input.call() ? "is what " + NameOf(*input.call()) + " gives" : "is empty");
      }
      if (!inputs_.insert(input.call().get()).second) return Refuse("{} is given twice", NameOf(*input.call()));
    }
    std::vector<std::pair<SymbolicTensor, const SymbolicCall*>> open;  // Values with the calls that need them.
    for (const SymbolicTensor& root : Roots(declared)) open.emplace_back(root, nullptr);
    while (!open.empty()) {
      const auto [value, by] = open.back();
      open.pop_back();
      const SymbolicCall* const call = value.call().get();
      const std::string who =
          by == nullptr ? "one of its outputs" : fmt::format("{}{}", LineOf(by->where), NameOf(*by));
      if (call == nullptr) return Refuse("{} is made of an empty value", who);
      if (call->input && !inputs_.contains(call)) {
        return Refuse("{} needs {} [{}:{}], which is not among the model's inputs", who, NameOf(*call),
                      call->where.file_name(), call->where.line());
      }
      if (!call->error.empty()) return Refuse("{}{}", LineOf(call->where), call->error);
      if (!reached_.emplace(call->number, call).second || call->input) continue;
      if (call->inputs.empty()) return Refuse("{}{} is called without a value", LineOf(call->where), NameOf(*call));
      for (const SymbolicTensor& input : call->inputs) open.emplace_back(input, call);
    }
    return absl::OkStatus();
  }

  absl::Status CheckThatInputsAreUsed(const SymbolicTensors& inputs) const {
    for (const SymbolicTensor& input : inputs) {
      if (!reached_.contains(input.call()->number)) {
        return Refuse("{} [{}:{}] is used by none of the model's outputs", NameOf(*input.call()),
                      input.call()->where.file_name(), input.call()->where.line());
      }
    }
    return absl::OkStatus();
  }

  std::vector<const SymbolicCall*> Calls() const {
    std::vector<const SymbolicCall*> calls;
    for (const auto& [number, call] : reached_) {
      if (!call->input) calls.push_back(call);
    }
    return calls;
  }

 private:
  std::set<const SymbolicCall*> inputs_;
  std::map<int64_t, const SymbolicCall*> reached_;
};

}  // namespace

std::string LineOf(const std::source_location& where) {
  return fmt::format("{}:{}: ", where.file_name(), where.line());
}

std::string Quoted(const std::string& name) { return name.empty() ? "" : fmt::format("'{}', ", name); }

std::string FreeName(const std::string& base, const std::set<std::string>& taken) {
  std::string name = base;
  for (int i = 1; taken.contains(name); ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

void SettleModel(LayerConfig& layer, const Type& x) {
  if (!layer.model || !layer.model->inputs.empty()) return;
  auto settled = std::make_shared<ModelConfig>(*layer.model);
  // Dimensions before those of a sample: the batch, and the steps of TimeDistributed.
  const int64_t before = layer.IsTimeDistributedModel() ? 2 : 1;
  if (x.rank() < before) return;
  settled->inputs = {
      {.name = "input_layer", .dtype = x.dtype, .shape = Shape(x.shape.begin() + before, x.shape.end())}};
  layer.model = std::move(settled);
}

absl::Status RegisterLayer(LayerConfig& layer, const Expansions& embedded) {
  if (layer.name.find('/') != std::string::npos) return Refuse("a layer's name must not contain '/'");
  if (const size_t slash = layer.place.find('/'); slash == 0 || slash != layer.place.rfind('/')) {
    return Refuse("LayerList: a list's name must not be empty and must not contain '/'");
  }
  if (layer.variables == nullptr) layer.variables = std::make_shared<LayerVariables>(layer.trainable);
  if (!layer.model) {
    FUSEBOX_ASSIGN_OR_RETURN(layer.item, ResolveItem(FB_LAYER, layer.item, embedded));
    return absl::OkStatus();
  }
  if (layer.IsTimeDistributedModel() && layer.model->IsSubclass()) {
    return Refuse(
        "TimeDistributed takes layers, Sequential and functional models: for the class {}, pass it the result of "
        "Traced()",
        layer.model->class_name);
  }
  auto inner = std::make_shared<ModelConfig>(*layer.model);
  for (LayerConfig& each : inner->layers) {
    if (const absl::Status known = RegisterLayer(each, embedded); !known.ok())
      return Refuse("'{}', {}", each.name, Message(known));
  }
  layer.model = std::move(inner);
  return absl::OkStatus();
}

absl::StatusOr<Described> Describe(const Declaration& declared, const Members* known, const Expansions& embedded) {
  Reached reached;
  FUSEBOX_RETURN_IF_ERROR(reached.Find(declared));
  if (known == nullptr) FUSEBOX_RETURN_IF_ERROR(reached.CheckThatInputsAreUsed(declared.inputs));
  const std::vector<const SymbolicCall*> calls = reached.Calls();
  Described described;
  ModelConfig& model = described.config;

  // ---- Names: first those that users gave, then those that are counted, in the order in which layers were made.
  std::map<int64_t, const SymbolicCall*> layers;  // The first call of each layer, by the layer's id.
  for (const SymbolicCall* call : calls) layers.emplace(call->layer_id, call);
  std::set<std::string> taken;
  const auto is_known = [&](int64_t id) { return known != nullptr && known->contains(id); };
  for (const auto& [id, layer] : known != nullptr ? *known : Members()) taken.insert(layer.name);
  const auto take = [&](const std::string& name, const SymbolicCall& call) -> absl::Status {
    if (name.empty() || taken.insert(name).second) return absl::OkStatus();
    return Refuse("two layers are named '{}', the second is that of {}:{}", name, call.where.file_name(),
                  call.where.line());
  };
  for (const SymbolicTensor& input : declared.inputs) {
    FUSEBOX_RETURN_IF_ERROR(take(input.call()->input->name, *input.call()));
  }
  for (const auto& [id, call] : layers) {
    if (!is_known(id)) FUSEBOX_RETURN_IF_ERROR(take(call->layer.name, *call));
  }
  std::map<const SymbolicCall*, size_t> value_of;
  for (const SymbolicTensor& input : declared.inputs) {
    value_of[input.call().get()] = model.inputs.size();
    InputConfig& added = model.inputs.emplace_back(*input.call()->input);
    if (added.name.empty()) taken.insert(added.name = FreeName("input_layer", taken));
    if (std::ranges::any_of(added.shape, [](int64_t d) { return d < 1; })) {
      return Refuse("input '{}' needs dimensions of 1 or more, got {}", added.name, ToString(added.shape));
    }
  }
  std::set<std::string> places;  // The places in LayerLists that are taken.
  if (known != nullptr) {
    for (const auto& [id, layer] : *known) places.insert(layer.place);
  }
  std::map<int64_t, size_t> place;
  for (const auto& [id, call] : layers) {
    LayerConfig added = call->layer;
    if (const absl::Status fine = RegisterLayer(added, embedded); !fine.ok()) {
      return absl::FailedPreconditionError(
          fmt::format("{}{}{}", LineOf(call->where), Quoted(added.name), Message(fine)));
    }
    if (is_known(id)) {
      added.name = known->at(id).name;
    } else {
      if (!added.place.empty() && !places.insert(added.place).second) {
        return Refuse("two layers are '{}' in weight files: give each LayerList a name of its own", added.place);
      }
      if (added.name.empty()) taken.insert(added.name = FreeName(KerasSnakeCase(KerasClassOf(added)), taken));
    }
    place[id] = model.layers.size();
    model.layers.push_back(std::move(added));
    described.layers.push_back(id);
  }

  // ---- Calls.
  const auto ref = [&](const SymbolicTensor& value) {
    return ValueRef{value_of.at(value.call().get()), value.output()};
  };
  for (const SymbolicCall* call : calls) {
    CallConfig& added = model.calls.emplace_back(CallConfig{place.at(call->layer_id), {}});
    for (const SymbolicTensor& input : call->inputs) added.inputs.push_back(ref(input));
    value_of[call] = model.inputs.size() + model.calls.size() - 1;
    described.lines.push_back(LineOf(call->where));
  }
  for (const SymbolicTensor& output : declared.outputs) model.outputs.push_back(ref(output));
  for (const SymbolicTensor& loss : declared.losses) model.added_losses.push_back(ref(loss));
  for (const auto& [value, name] : declared.metrics) model.added_metrics.push_back({name, ref(value)});
  return described;
}

}  // namespace fusebox
