// SPDX-License-Identifier: Apache-2.0
// Saving and opening models.
#include <algorithm>

#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras_file.h"
#include "fusebox/runtime/keras/keras_h5.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/programs/optimizer_program.h"
#include "fusebox/runtime/save/shared_layers.h"

namespace fusebox {
namespace {

std::vector<WeightGroup> Groups(const Model::Impl& model, const ModelConfig& config) {
  std::vector<WeightGroup> groups = GroupsOf(config);
  const auto weights = model.WeightsByLayer(config);
  for (size_t i = 0; i < weights.size(); ++i) {
    for (const Variable* weight : weights[i]) groups[i].vars.push_back(weight->value);
  }
  return groups;
}

bool ScalesLoss(const Model::Impl& model) {
  return model.config.compile && InnerOptimizer(model.config.compile->optimizer, model.embedded).has_value();
}

// In the order of Keras's files: iteration, learning rate (unless that follows a schedule), then slots. Of an optimizer
// that scales the loss its own first: iteration, a learning rate that means nothing (null here), and what it remembers.
std::vector<const Variable*> OptimizerVariables(const Model::Impl& model) {
  const Variables& variables = model.variables;
  std::vector<const Variable*> all;
  const auto add = [&](std::string_view name) {
    if (const Variable* variable = variables.Find(name)) all.push_back(variable);
  };
  add("step");
  const bool scales = ScalesLoss(model);
  if (scales) {
    all.push_back(nullptr);
    std::ranges::for_each(kScalingStates, add);
  }
  add("optimizer/learning_rate");
  std::vector<const Variable*> slots = variables.OfKind(StateKindName(FB_SLOT));
  std::erase_if(slots, [&](const Variable* slot) { return std::ranges::find(all, slot) != all.end(); });
  std::ranges::stable_sort(slots, {}, &Variable::order);
  all.insert(all.end(), slots.begin(), slots.end());
  return all;
}

// How many of them stand before those that an optimizer makes of each weight.
size_t BeforeSlots(const std::vector<const Variable*>& variables) {
  const auto is_slot = [](const Variable* v) {
    return v != nullptr && v->kind == StateKindName(FB_SLOT) &&
           std::ranges::find(kScalingStates, v->name) == std::end(kScalingStates);
  };
  return size_t(std::ranges::find_if(variables, is_slot) - variables.begin());
}

absl::Status SetGroups(Model::Impl& model, const std::vector<WeightGroup>& groups, const std::string& who) {
  const auto weights = model.WeightsByLayer();
  const std::map<std::string, std::string> shared = SharedPaths(model.config);
  if (groups.size() != weights.size())
    return Refuse("{}: has weights of {} layers, the model has {}", who, groups.size(), weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string& name = groups[i].layer_name;
    // Keras writes the weights of a layer that stands at several places only at the first.
    if (groups[i].vars.empty() && shared.contains(name)) continue;
    if (groups[i].vars.size() != weights[i].size()) {
      return Refuse("{}: layer '{}': expected {} weights, found {}", who, name, weights[i].size(),
                    groups[i].vars.size());
    }
    for (size_t j = 0; j < weights[i].size(); ++j) {
      const absl::Status status = model.variables.Set(weights[i][j]->name, groups[i].vars[j]);
      if (!status.ok()) return Refuse("{}: {}", who, Message(status));
    }
  }
  return absl::OkStatus();
}

absl::Status SetOptimizer(Model::Impl& model, std::vector<Tensor> values, const std::string& who) {
  if (values.empty() || !model.config.compile) return absl::OkStatus();
  FUSEBOX_RETURN_IF_ERROR(model.EnsureOptimizer());
  const std::vector<const Variable*> variables = OptimizerVariables(model);
  // Keras saves those before the slots alone before it has trained, and knows of no scale then.
  const size_t before_slots = BeforeSlots(variables);
  const bool scales = ScalesLoss(model);
  if (scales && values.size() + 2 == before_slots) {
    values.insert(values.begin() + 2, {variables[2]->value, variables[3]->value});
  }
  const bool lacks_rate = !scales && before_slots > 1 && (values.size() == 1 || values[1].rank() > 0);
  if (lacks_rate) {
    // Keras 2 has no variable of it. Else its optimizers keep the same in the same order, but for Nadam and Adafactor:
    // they go on with the iteration alone.
    values.insert(values.begin() + 1, variables[1]->value);
    if (values.size() != variables.size()) values.resize(before_slots);
  }
  if (values.size() != variables.size() && values.size() != before_slots) {
    return Refuse("{}: the optimizer {} has {} variables, found {}", who, ShortName(model.config.compile->optimizer.id),
                  variables.size(), values.size());
  }
  for (size_t i = 0; i < std::min(values.size(), variables.size()); ++i) {
    if (variables[i] == nullptr) continue;
    const absl::Status status = model.variables.Set(variables[i]->name, values[i]);
    if (!status.ok()) return Refuse("{}: {}", who, Message(status));
  }
  // Counters all tell the same.
  int64_t steps = values[0].Cast(DType::kI64).values<int64_t>()[0];
  // Keras counts only those of the inner optimizer, which has skipped some.
  if (scales) steps = std::max(steps, values[4].Cast(DType::kI64).values<int64_t>()[0]);
  for (const Variable* counter : model.variables.OfKind(StateKindName(FB_COUNTER)))
    model.variables.SetInteger(counter->name, steps);
  return absl::OkStatus();
}

// The variables of a layer, or of all layers of a model within, in the order of .h5 files.
std::vector<const Variable*> TrainedFirst(const Model::Impl& model, const std::string& layer) {
  const std::vector<LeafLayer> leaves = LeafLayers(model.config);
  const auto weights = model.WeightsByLayer();
  std::vector<const Variable*> all;
  for (const bool trained : {true, false}) {
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i].path != layer && !leaves[i].path.starts_with(layer + "/")) continue;
      for (const Variable* weight : weights[i]) {
        if ((weight->trainable && leaves[i].trainable) == trained) all.push_back(weight);
      }
    }
  }
  return all;
}

absl::Status SetLayers(Model::Impl& model, const std::vector<KerasH5::Layer>& layers, const std::string& who) {
  size_t set = 0;
  for (const KerasH5::Layer& layer : layers) {
    const std::vector<const Variable*> weights = TrainedFirst(model, layer.name);
    if (layer.weights.size() != weights.size()) {
      return Refuse("{}: layer '{}': expected {} weights, found {}", who, layer.name, weights.size(),
                    layer.weights.size());
    }
    for (size_t i = 0; i < weights.size(); ++i, ++set) {
      const absl::Status status = model.variables.Set(weights[i]->name, layer.weights[i]);
      if (!status.ok()) return Refuse("{}: {}", who, Message(status));
    }
  }
  if (const size_t all = model.Weights().size(); set != all) {
    return Refuse("{}: expected {} weights, found those of {} layers, {} in all", who, all, layers.size(), set);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Model::Save(const std::string& path) {
  const ModelConfig& own = config();
  if (own.IsSubclass()) {
    return absl::FailedPreconditionError(
        fmt::format("'{}': model '{}' is the C++ class {}, which no file can hold: save its weights by SaveWeights, or "
                    "as a model of layers alone what Traced() gives",
                    path, own.name, own.class_name));
  }
  if (AddsLosses(own) || !AddedMetricNames(own).empty()) {
    return absl::FailedPreconditionError(
        fmt::format("'{}': model '{}' has what AddLoss or AddMetric has added, which no .keras file can hold: save its "
                    "weights by SaveWeights",
                    path, own.name));
  }
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  const ModelConfig frozen = Frozen(own);  // Classes within are known to no file, either.
  KerasFile file{.config = frozen,
                 .layers = Groups(*impl_, frozen),
                 .optimizer_vars = {},
                 .inner_optimizer_vars = {},
                 .fusebox_metadata = {}};
  if (impl_->config.compile) {
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureOptimizer());
    for (const Variable* variable : OptimizerVariables(*impl_)) {
      file.optimizer_vars.push_back(variable != nullptr ? variable->value : Tensor(DType::kF32, {}));
    }
    // As in Keras, which holds these twice.
    const size_t outer = ScalesLoss(*impl_) ? 4 : file.optimizer_vars.size();
    file.inner_optimizer_vars.assign(file.optimizer_vars.begin() + ptrdiff_t(outer), file.optimizer_vars.end());
  }
  file.fusebox_metadata =
      WithSharedLayers(WithExpansions(JsonText({{"version", FUSEBOX_VERSION}}), impl_->KeptSymbols()), frozen);
  return WriteKeras(path, file);
}

absl::Status Model::SaveWeights(const std::string& path) {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  return WriteKerasWeights(path,
                           {.layers = Groups(*impl_, impl_->config), .optimizer_vars = {}, .inner_optimizer_vars = {}});
}

absl::Status Model::LoadWeights(const std::string& path) {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  FUSEBOX_ASSIGN_OR_RETURN(const KerasWeights weights, ReadKerasWeights(path, Groups(*impl_, impl_->config)));
  return SetGroups(*impl_, weights.layers, fmt::format("'{}'", path));
}

absl::StatusOr<Model> LoadModel(const std::string& path) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  const std::string who = fmt::format("'{}'", path);
  if (BeginsAs(bytes, Format::kKerasH5)) {
    FUSEBOX_ASSIGN_OR_RETURN(const KerasH5 file, ParseKerasH5(bytes, who));
    absl::StatusOr<Model> model = Model::FromConfig(file.config);
    if (!model.ok()) return Refuse("{}: {}", who, Message(model.status()));
    Model::Impl& impl = *model->impl_;
    if (!impl.HasInput()) return Refuse("{}: its input's shape is not known, so it can have no weights", who);
    FUSEBOX_RETURN_IF_ERROR(impl.EnsureWeights());
    FUSEBOX_RETURN_IF_ERROR(SetLayers(impl, file.layers, who));
    FUSEBOX_RETURN_IF_ERROR(SetOptimizer(impl, file.optimizer_vars, who));
    return model;
  }
  FUSEBOX_ASSIGN_OR_RETURN(KerasFile file, ParseKeras(bytes, who));
  Expansions embedded;
  if (!file.fusebox_metadata.empty()) {
    const std::string metadata = who + ": metadata.json";
    FUSEBOX_ASSIGN_OR_RETURN(embedded, ExpansionsIn(file.fusebox_metadata, metadata));
    FUSEBOX_RETURN_IF_ERROR(ShareLayersAsIn(file.fusebox_metadata, metadata, file.config));
  }
  absl::StatusOr<Model> model = Model::FromConfig(file.config, embedded);
  if (!model.ok()) return Refuse("{}: {}", who, Message(model.status()));
  Model::Impl& impl = *model->impl_;
  // Keras gives every model that it saves an input; without one there are no weights either.
  if (!impl.HasInput()) return model;
  FUSEBOX_RETURN_IF_ERROR(impl.EnsureWeights());
  FUSEBOX_RETURN_IF_ERROR(SetGroups(impl, file.layers, who));
  FUSEBOX_RETURN_IF_ERROR(SetOptimizer(impl, file.optimizer_vars, who));
  return model;
}

}  // namespace fusebox
