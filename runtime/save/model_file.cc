// SPDX-License-Identifier: Apache-2.0
// Saving and opening models.
#include <algorithm>
#include <cstdio>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/data/out_of_memory.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/expand/plugin_call.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/foreign_models.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras_file.h"
#include "fusebox/runtime/keras/keras_h5.h"
#include "fusebox/runtime/model/custom_items.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/plugins/registry.h"
#include "fusebox/runtime/save/optimizer_state.h"
#include "fusebox/runtime/save/shared_layers.h"

namespace fusebox {
namespace {

// Where Keras keeps a weight of this scope within that of its layer: "/activation" for one of a layer that serves as
// the activation.
std::string PlaceWithin(std::string_view scope) {
  const std::string step = fmt::format("/{}", kActivationScope);
  std::string place;
  while (scope.substr(place.size()).starts_with(step)) place += step;
  return place.size() == scope.size() ? place : "";
}

std::vector<WeightGroup> Groups(const Model::Impl& model, const ModelConfig& config) {
  std::vector<WeightGroup> groups = GroupsOf(config);
  const auto weights = model.WeightsByLayer(config);
  const std::vector<LeafLayer> leaves = LeafLayers(config);
  const std::map<std::string, std::string> shared = SharedPaths(config);
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto first = shared.find(leaves[i].path);
    const size_t path = (first != shared.end() ? first->second : leaves[i].path).size();
    for (const Variable* weight : weights[i]) {
      groups[i].vars.push_back(weight->value);
      groups[i].places.push_back(PlaceWithin(std::string_view(weight->scope).substr(path)));
    }
  }
  return groups;
}

// Says what does not fit, or returns it as the error that it is unless it may be left out.
absl::Status Mismatch(bool skip, const std::string& message) {
  if (!skip) return absl::InvalidArgumentError(message);
  Warn("{}; the layer's weights stay as they are", message);
  return absl::OkStatus();
}

// Adds to `all` what sets the weights of one layer.
absl::Status CollectWeightsOf(const std::vector<const Variable*>& weights, const std::vector<Tensor>& values,
                              const std::string& layer, bool skip_mismatch, std::vector<Assignment>& all) {
  if (values.size() != weights.size()) {
    return Mismatch(skip_mismatch,
                    fmt::format("layer '{}': expected {} weights, found {}", layer, weights.size(), values.size()));
  }
  for (size_t i = 0; skip_mismatch && i < weights.size(); ++i) {
    const Shape& expected = weights[i]->type.shape;
    const Shape found(values[i].shape().begin(), values[i].shape().end());
    if (expected == found) continue;
    return Mismatch(true, fmt::format("layer '{}': '{}': expected the shape {}, got {}", layer, weights[i]->name,
                                      ToString(expected), ToString(found)));
  }
  for (size_t i = 0; i < weights.size(); ++i) all.push_back({weights[i]->name, &values[i]});
  return absl::OkStatus();
}

// Sets the weights of all layers, or none of them.
absl::Status SetGroups(Model::Impl& model, const std::vector<WeightGroup>& groups, const std::string& who,
                       bool skip_mismatch = false) {
  const auto weights = model.WeightsByLayer();
  const std::map<std::string, std::string> shared = SharedPaths(model.config);
  std::vector<Assignment> all;
  if (groups.size() != weights.size())
    return Refuse("{}: has weights of {} layers, the model has {}", who, groups.size(), weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string& name = groups[i].layer_name;
    // Keras writes the weights of a layer that stands at several places only at the first.
    if (groups[i].vars.empty() && shared.contains(name)) continue;
    const absl::Status status = CollectWeightsOf(weights[i], groups[i].vars, name, skip_mismatch, all);
    if (!status.ok()) return Refuse("{}: {}", who, Message(status));
  }
  const absl::Status status = model.variables.SetAll(all);
  return status.ok() ? status : Refuse("{}: {}", who, Message(status));
}

// Whether all can be used that the model was compiled with. The first program that needs what cannot says why.
bool CanTrain(const Model::Impl& model) { return model.Program(ProgramKind::kTraining, model.UsualData()).ok(); }

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

absl::Status SetLayers(Model::Impl& model, const std::vector<KerasH5::Layer>& layers, const std::string& who,
                       bool skip_mismatch) {
  size_t set = 0;
  std::vector<Assignment> all;
  for (const KerasH5::Layer& layer : layers) {
    const std::vector<const Variable*> weights = TrainedFirst(model, layer.name);
    const absl::Status status = CollectWeightsOf(weights, layer.weights, layer.name, skip_mismatch, all);
    if (!status.ok()) return Refuse("{}: {}", who, Message(status));
    set += weights.size();
  }
  if (const size_t expected = model.Weights().size(); set != expected) {
    return Refuse("{}: expected {} weights, found those of {} layers, {} in all", who, expected, layers.size(), set);
  }
  const absl::Status status = model.variables.SetAll(all);
  return status.ok() ? status : Refuse("{}: {}", who, Message(status));
}

}  // namespace

absl::Status Model::Save(const std::string& path) {
  return impl_->Exclusively([&]() -> absl::Status {
    const ModelConfig& own = config();
    if (own.IsSubclass()) {
      return absl::FailedPreconditionError(fmt::format(
          "'{}': model '{}' is the C++ class {}, which no file can hold: save its weights by SaveWeights, or "
          "as a model of layers alone what Traced() gives",
          path, own.name, own.class_name));
    }
    if (AddsLosses(own) || !AddedMetricNames(own).empty()) {
      return absl::FailedPreconditionError(fmt::format(
          "'{}': model '{}' has what AddLoss or AddMetric has added, which no .keras file can hold: save its "
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
    if (impl_->config.compile && !CanTrain(*impl_)) {
      file.optimizer_vars = impl_->waiting_optimizer;
      if (impl_->restore_optimizer && file.optimizer_vars.empty()) {
        Warn("'{}': the optimizer's state is left out: it has an old form, and its optimizer cannot be used", path);
      }
    } else if (impl_->config.compile) {
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
  });
}

absl::Status Model::SaveWeights(const std::string& path) {
  return impl_->Exclusively([&]() -> absl::Status {
    NameByClass();
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
    return WriteKerasWeights(
        path, {.layers = Groups(*impl_, impl_->config), .optimizer_vars = {}, .inner_optimizer_vars = {}});
  });
}

absl::Status Model::LoadWeights(const std::string& path) {
  return impl_->Exclusively([&]() -> absl::Status {
    NameByClass();
    FUSEBOX_RETURN_IF_ERROR(impl_->DeclareWeights());
    FUSEBOX_ASSIGN_OR_RETURN(const KerasWeights weights, ReadKerasWeights(path, Groups(*impl_, impl_->config)));
    FUSEBOX_RETURN_IF_ERROR(SetGroups(*impl_, weights.layers, fmt::format("'{}'", path)));
    return impl_->EnsureWeights();
  });
}

namespace {

// The memory of a model's weights that are declared, which may not have values yet.
uint64_t BytesOfWeights(const Model::Impl& model) {
  double bytes = 0;  // Sizes that no memory could hold are no overflow.
  for (const Variable& variable : model.variables.all()) {
    double size = SizeOf(variable.type.dtype);
    for (const int64_t dim : variable.type.shape) size *= double(dim);
    bytes += size;
  }
  return uint64_t(std::min(bytes, 0x1p60));
}

absl::StatusOr<Model> Load(const std::string& path, const LoadArgs& args) {
  FUSEBOX_RETURN_IF_ERROR(RefuseForeignModel(path));
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  const std::string who = fmt::format("'{}'", path);
  const bool is_h5 = BeginsAs(bytes, Format::kKerasH5);
  Expansions embedded;
  std::optional<Model> model;
  // Makes the model, whose weights have no values yet, before those of the file are read: so their shapes are compared
  // before memory is taken. Returns how much memory all that the file may hold for it takes.
  const auto make = [&](ModelConfig& config) -> absl::StatusOr<uint64_t> {
    if (!args.compile) config.compile.reset();
    FUSEBOX_RETURN_IF_ERROR(UseCustomItems(args.custom, config));
    FUSEBOX_RETURN_IF_ERROR(CheckLayersKnown(config, embedded, who));
    absl::StatusOr<Model> made = Model::FromConfig(config, embedded);
    if (!made.ok()) return Refuse("{}: {}", who, Message(made.status()));
    model = *std::move(made);
    Model::Impl& impl = Model::Impl::Of(*model);
    if (!impl.HasInput()) return 0;
    FUSEBOX_RETURN_IF_ERROR(impl.DeclareWeights());
    constexpr uint64_t kCopies = 8;  // The weights, and slots and averages of the optimizer.
    return kCopies * BytesOfWeights(impl);
  };
  KerasH5 h5;
  KerasFile file;
  if (is_h5) {
    FUSEBOX_ASSIGN_OR_RETURN(h5, ParseKerasH5(bytes, who));
    FUSEBOX_RETURN_IF_ERROR(make(h5.config).status());
  } else {
    FUSEBOX_ASSIGN_OR_RETURN(file, ParseKeras(bytes, who, [&](KerasFile& of) -> absl::StatusOr<uint64_t> {
                               const std::string metadata = who + ": metadata.json";
                               if (!of.fusebox_metadata.empty()) {
                                 FUSEBOX_ASSIGN_OR_RETURN(embedded, ExpansionsIn(of.fusebox_metadata, metadata));
                                 FUSEBOX_RETURN_IF_ERROR(ShareLayersAsIn(of.fusebox_metadata, metadata, of.config));
                               }
                               return make(of.config);
                             }));
  }
  Model::Impl& impl = Model::Impl::Of(*model);
  if (!impl.HasInput()) {
    // Keras gives every model that it saves an input; without one there are no weights either.
    if (!is_h5) return *std::move(model);
    return Refuse("{}: its input's shape is not known, so it can have no weights", who);
  }
  FUSEBOX_RETURN_IF_ERROR(is_h5 ? SetLayers(impl, h5.layers, who, args.skip_mismatch)
                                : SetGroups(impl, file.layers, who, args.skip_mismatch));
  FUSEBOX_RETURN_IF_ERROR(impl.EnsureWeights());
  OptimizerState state = is_h5 ? OptimizerState{std::move(h5.optimizer_vars), std::move(h5.optimizer_names)}
                               : OptimizerState{std::move(file.optimizer_vars), {}};
  if (!impl.config.compile || CanTrain(impl)) {
    FUSEBOX_RETURN_IF_ERROR(SetOptimizer(impl, state, who));
    return *std::move(model);
  }
  // A .keras file has no names that would tell the old optimizers' order.
  if (!HasOldOrder(state)) impl.waiting_optimizer = state.values;
  if (!state.values.empty()) {
    impl.restore_optimizer = [state = std::move(state), who](Model::Impl& of) { return SetOptimizer(of, state, who); };
  }
  return *std::move(model);
}

}  // namespace

absl::StatusOr<Model> LoadModel(const std::string& path, LoadArgs args) {
  return WithoutBadAlloc([&] { return Load(path, args); });
}

}  // namespace fusebox
