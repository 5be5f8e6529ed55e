// SPDX-License-Identifier: Apache-2.0
// Makes models from their descriptions.
#include <map>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/model/functional.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/model/stack.h"
#include "fusebox/runtime/model/traced_class.h"

namespace fusebox {
namespace {

// Copies a description and gives the copy variables of its own. Places that share a layer still share it in the copy.
ModelConfig WithNewVariables(const ModelConfig& model,
                             std::map<const LayerVariables*, std::shared_ptr<LayerVariables>>& made) {
  ModelConfig copy = model;
  for (LayerConfig& layer : copy.layers) {
    std::shared_ptr<LayerVariables> own;
    std::shared_ptr<LayerVariables>& shared = layer.variables != nullptr ? made[layer.variables.get()] : own;
    if (shared == nullptr) shared = std::make_shared<LayerVariables>(layer.trainable);
    layer.variables = shared;
    if (layer.model != nullptr) {
      layer.model = std::make_shared<const ModelConfig>(WithNewVariables(*layer.model, made));
    }
  }
  return copy;
}
ModelConfig WithNewVariables(const ModelConfig& model) {
  std::map<const LayerVariables*, std::shared_ptr<LayerVariables>> made;
  return WithNewVariables(model, made);
}

// Gives the model the whole description, and the form that the description has.
void Take(const ModelConfig& whole, Model::Impl& model) {
  if (whole.IsStack()) {
    auto stack = std::make_unique<Stack>(model);
    Stack& layers = *stack;
    model.form = std::move(stack);
    model.config.inputs = whole.inputs;
    model.outputs = model.InputTypes();
    for (const LayerConfig& layer : whole.layers) layers.Add(layer, {}, nullptr);
    return;
  }
  if (whole.IsSubclass()) {
    model.form = std::make_unique<TracedClass>(model);
  } else {
    model.form = std::make_unique<Functional>(model);
  }
  model.config = whole;
  model.config.compile.reset();
  for (LayerConfig& layer : model.config.layers) {
    if (const absl::Status known = RegisterLayer(layer, model.embedded); !known.ok()) {
      model.status = Refuse("'{}', {}", layer.name, Message(known));
      return;
    }
  }
  model.InferOutputs({});
}

}  // namespace

absl::StatusOr<Model> Model::FromConfig(const ModelConfig& config, const Expansions& embedded,
                                        std::optional<int64_t> seed) {
  return Sharing(WithNewVariables(config), embedded, seed);
}

absl::StatusOr<Model> Model::Sharing(const ModelConfig& config, const Expansions& embedded,
                                     std::optional<int64_t> seed) {
  auto impl = std::make_unique<Impl>(ModelOptions{.name = config.name, .seed = seed});
  impl->embedded = embedded;
  Take(config, *impl);
  FUSEBOX_RETURN_IF_ERROR(impl->status);
  if (config.compile && (config.compile->HasLoss() || AddsLosses(config)))
    FUSEBOX_RETURN_IF_ERROR(impl->CompileAsFound(*config.compile));
  return Model(std::move(impl));
}

absl::StatusOr<Model> Model::Clone(std::optional<int64_t> seed) const {
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  ModelConfig config = this->config();
  if (config.IsSubclass()) {
    return Refuse("model '{}' is the C++ class {}: make another object of it, or clone the result of Traced()",
                  config.name, config.class_name);
  }
  config.compile.reset();
  return FromConfig(config, impl_->embedded, seed);
}

}  // namespace fusebox
