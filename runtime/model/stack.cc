// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/stack.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {

Stack* Stack::Of(Model::Impl& model) { return dynamic_cast<Stack*>(model.form.get()); }

void Stack::Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape, const std::source_location* where) {
  if (!model_.status.ok()) return;
  const std::string line = where != nullptr ? LineOf(*where) : "";
  LayerConfig added = layer;
  const auto fail = [&](const std::string& message) {
    model_.status = Refuse("{}{}{}", line, Quoted(added.name), message);
  };
  if (const absl::Status known = RegisterLayer(added, model_.embedded); !known.ok()) return fail(Message(known));
  if (added.name.empty()) added.name = FreeName(KerasSnakeCase(KerasClassOf(added)), names_);
  if (names_.contains(added.name)) return fail("the model has another layer of this name");
  if (!input_shape.empty()) {
    if (!model_.config.layers.empty()) return fail("only the first layer may have an input_shape");
    if (std::ranges::any_of(input_shape, [](int64_t d) { return d < 1; })) {
      return fail(fmt::format("its input_shape needs dimensions of 1 or more, got {}",
                              ToString(Shape(input_shape.begin(), input_shape.end()))));
    }
    model_.config.inputs = {{.name = "input_layer", .shape = Shape(input_shape.begin(), input_shape.end())}};
  } else if (model_.config.layers.empty() && !model_.HasInput() && added.model && !added.IsTimeDistributedModel() &&
             added.model->inputs.size() == 1) {
    model_.config.inputs = {added.model->inputs[0]};
    model_.config.inputs[0].name = "input_layer";
  }
  names_.insert(added.name);
  model_.config.layers.push_back(std::move(added));
  where_.push_back(line);
  if (!model_.HasInput()) return;
  if (model_.outputs.empty()) model_.outputs = model_.InputTypes();
  Extend(model_.config.layers.size() - 1);
}

void Stack::AddInput(const InputConfig& input, const std::source_location& where) {
  if (!model_.status.ok()) return;
  const std::string who = input.name.empty() ? "an Input" : fmt::format("input '{}'", input.name);
  if (!model_.config.layers.empty() || model_.HasInput()) {
    model_.status = Refuse("{}{} has to come first and only once", LineOf(where), who);
    return;
  }
  if (std::ranges::any_of(input.shape, [](int64_t d) { return d < 1; })) {
    model_.status = Refuse("{}{} needs dimensions of 1 or more, got {}", LineOf(where), who, ToString(input.shape));
    return;
  }
  model_.config.inputs = {input};
  if (input.name.empty()) model_.config.inputs[0].name = "input_layer";
}

void Stack::Pop() {
  if (!model_.status.ok()) return;
  if (model_.config.layers.empty()) {
    model_.status = Refuse("model '{}' has no layer to pop", model_.config.name);
    return;
  }
  const std::string popped = model_.config.layers.back().name;
  model_.config.layers.pop_back();
  names_.erase(popped);
  where_.pop_back();
  model_.variables.DropLayer(popped);
  // The optimizer's state belongs to the weights before.
  model_.variables.DropOptimizer();
  model_.DropPrograms();
  model_.results.clear();
  if (!model_.HasInput()) return;
  model_.outputs = model_.InputTypes();
  for (size_t i = 0; i < model_.config.layers.size() && model_.status.ok(); ++i) Extend(i);
}

absl::Status Stack::CheckComplete() const {
  const ModelConfig& config = model_.config;
  if (config.layers.empty()) return absl::FailedPreconditionError(fmt::format("model '{}' has no layers", config.name));
  if (model_.HasInput()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("model '{}': its input's shape is not known: give its first layer an input_shape", config.name));
}

std::string Stack::Expects(const InputConfig&) const { return fmt::format("layer '{}'", model_.config.layers[0].name); }

absl::Status Stack::SettleInput(const Arrays& x) {
  const ModelConfig& config = model_.config;
  if (config.layers.empty() || model_.HasInput()) return CheckComplete();
  if (x.size() != 1) return Refuse("model '{}' has 1 input, got {} arrays", config.name, x.size());
  if (x[0].rank() < 1) return Refuse("x: expected [samples, ...], got a scalar");
  return SettleShape(Shape(x[0].shape().begin() + 1, x[0].shape().end()));
}

absl::Status Stack::SettleShape(Shape shape_of_a_sample) {
  model_.config.inputs = {{.name = "input_layer", .shape = std::move(shape_of_a_sample)}};
  model_.outputs = model_.InputTypes();
  const std::vector<LayerConfig> before = model_.config.layers;
  for (size_t i = 0; i < model_.config.layers.size() && model_.status.ok(); ++i) Extend(i);
  if (model_.status.ok()) return absl::OkStatus();
  // The data are wrong, not the declaration: undo the changes and keep the stack usable.
  model_.config.inputs.clear();
  model_.config.layers = before;
  model_.outputs.clear();
  return std::exchange(model_.status, absl::OkStatus());
}

// Infers the type of this layer's output from the output of the layer before it.
void Stack::Extend(size_t layer) {
  ModelConfig one;
  one.layers = {model_.config.layers[layer]};
  const absl::StatusOr<std::vector<CallTypes>> types = InferTypes(one, model_.outputs, model_.embedded);
  if (!types.ok()) {
    model_.status = Refuse("{}{}", where_[layer], Message(types.status()));
    return;
  }
  SettleModel(model_.config.layers[layer], model_.outputs[0]);
  model_.outputs = types->back().outputs;
  if (model_.outputs.size() != 1) {
    model_.status = Refuse("{}'{}' has {} outputs, a layer of a stack has one", where_[layer],
                           model_.config.layers[layer].name, model_.outputs.size());
  }
}

}  // namespace fusebox
