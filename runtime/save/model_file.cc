// SPDX-License-Identifier: Apache-2.0
// Saving and opening models.
#include <algorithm>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/foreign_models.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras_file.h"
#include "fusebox/runtime/keras/keras_h5.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/plugins/registry.h"
#include "fusebox/runtime/save/optimizer_state.h"
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

// Error: layers of Keras's that fusebox lacks, all of them. Their weights would not fit either, and say less.
absl::Status CheckClasses(const ModelConfig& config, const std::string& who) {
  std::vector<std::string> lacking;
  absl::Status only;
  for (const LeafLayer& leaf : LeafLayers(config)) {
    const std::string& id = leaf.layer->item.id;
    if (SplitItemId(id).space != "fusebox") continue;  // The file may have its symbols.
    const absl::Status known = Registry::Default().Find(FB_LAYER, id).status();
    if (known.ok()) continue;
    only = Refuse("{}: '{}', {}", who, leaf.layer->name, Message(known));
    lacking.push_back(fmt::format("'{}' ({})", leaf.path, KerasClassName(id)));
  }
  if (lacking.size() <= 1) return only;
  return Refuse("{}: unknown layers: {}. Plugins may have them (--plugin-path)", who, fmt::join(lacking, ", "));
}

// Makes the model. What it is compiled with may name items that are not here: then it is opened without, and says so
// when it is to be trained or evaluated.
absl::StatusOr<Model> OpenConfig(const ModelConfig& config, const Expansions& embedded, const std::string& who) {
  absl::StatusOr<Model> model = Model::FromConfig(config, embedded);
  if (!model.ok() && config.compile) {
    ModelConfig uncompiled = config;
    uncompiled.compile.reset();
    uncompiled.unused_compile = UnusedCompile{.why = Message(model.status()), .parts = *config.compile, .json = ""};
    absl::StatusOr<Model> without = Model::FromConfig(uncompiled, embedded);
    if (without.ok()) return without;
  }
  if (!model.ok()) return Refuse("{}: {}", who, Message(model.status()));
  return model;
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
  FUSEBOX_RETURN_IF_ERROR(RefuseForeignModel(path));
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  const std::string who = fmt::format("'{}'", path);
  if (BeginsAs(bytes, Format::kKerasH5)) {
    FUSEBOX_ASSIGN_OR_RETURN(const KerasH5 file, ParseKerasH5(bytes, who));
    FUSEBOX_RETURN_IF_ERROR(CheckClasses(file.config, who));
    FUSEBOX_ASSIGN_OR_RETURN(Model model, OpenConfig(file.config, {}, who));
    Model::Impl& impl = *model.impl_;
    if (!impl.HasInput()) return Refuse("{}: its input's shape is not known, so it can have no weights", who);
    FUSEBOX_RETURN_IF_ERROR(impl.EnsureWeights());
    FUSEBOX_RETURN_IF_ERROR(SetLayers(impl, file.layers, who));
    FUSEBOX_RETURN_IF_ERROR(SetOptimizer(impl, {file.optimizer_vars, file.optimizer_names}, who));
    return model;
  }
  FUSEBOX_ASSIGN_OR_RETURN(
      KerasFile file, ParseKeras(bytes, who, [&](const ModelConfig& config) { return CheckClasses(config, who); }));
  Expansions embedded;
  if (!file.fusebox_metadata.empty()) {
    const std::string metadata = who + ": metadata.json";
    FUSEBOX_ASSIGN_OR_RETURN(embedded, ExpansionsIn(file.fusebox_metadata, metadata));
    FUSEBOX_RETURN_IF_ERROR(ShareLayersAsIn(file.fusebox_metadata, metadata, file.config));
  }
  FUSEBOX_ASSIGN_OR_RETURN(Model model, OpenConfig(file.config, embedded, who));
  Model::Impl& impl = *model.impl_;
  // Keras gives every model that it saves an input; without one there are no weights either.
  if (!impl.HasInput()) return model;
  FUSEBOX_RETURN_IF_ERROR(impl.EnsureWeights());
  FUSEBOX_RETURN_IF_ERROR(SetGroups(impl, file.layers, who));
  FUSEBOX_RETURN_IF_ERROR(SetOptimizer(impl, {file.optimizer_vars, {}}, who));
  return model;
}

}  // namespace fusebox
