// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/layer.h"

#include <atomic>
#include <map>

#include "fmt/format.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/data/layer_variables.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/programs/program.h"

namespace fusebox {
namespace {

// Infers the types of a call's outputs from the symbols that the call would write. Empty after any error.
std::vector<Type> OutputTypes(const SymbolicCall& call) {
  ModelConfig alone;
  alone.layers = {call.layer};
  alone.calls = {{0, {}}};
  std::vector<Type> types;
  for (const SymbolicTensor& input : call.inputs) {
    types.push_back(input.type());
    if (types.back().dtype == DType::kError) return {};
    alone.calls[0].inputs.push_back({alone.inputs.size(), 0});
    alone.inputs.push_back({});
  }
  if (types.empty() || !call.error.empty()) return {};
  alone.outputs = {{alone.inputs.size(), 0}};
  LayerConfig& layer = alone.layers[0];
  if (!layer.model) {
    absl::StatusOr<ItemSpec> item = ResolveItem(FB_LAYER, layer.item, {});
    if (!item.ok()) return {};
    layer.item = *std::move(item);
  }
  const absl::StatusOr<std::vector<CallTypes>> made = InferTypes(alone, types);
  return made.ok() ? (*made)[0].outputs : std::vector<Type>();
}

}  // namespace

int64_t NextSymbolNumber() {
  static std::atomic<int64_t> last = 0;
  return ++last;
}

Layer::Layer(std::string id, ItemAttributes attributes, LayerOptions options, Where where)
    : Layer(ItemSpec{std::move(id), std::move(attributes)}, std::move(options), where) {}
Layer::Layer(ItemSpec item, LayerOptions options, Where where, std::shared_ptr<LayerVariables> variables)
    : state_(std::make_shared<State>(
          State{.config = {.item = std::move(item), .name = std::move(options.name), .trainable = options.trainable},
                .input_shape = std::move(options.input_shape),
                .where = where,
                .id = NextSymbolNumber()})) {
  if (variables == nullptr) variables = std::make_shared<LayerVariables>();
  variables->trainable = variables->trainable && options.trainable;
  state_->config.variables = std::move(variables);
  if (!options.weights.empty()) SetFirstValues(std::move(options.weights));
}

std::vector<NamedTensor> Layer::weights() const {
  const LayerVariables& own = *state_->config.variables;
  if (own.values.empty()) return own.given;
  if (own.group != nullptr) own.group->Fetch();
  std::vector<NamedTensor> copies;
  for (const auto& [name, value] : own.values) copies.push_back({name, value.Clone()});
  return copies;
}

bool Layer::trainable() const { return state_->config.variables->trainable; }
void Layer::SetTrainable(bool trainable) { state_->config.variables->trainable = trainable; }
void Layer::SetFirstValues(std::vector<NamedTensor> values) { state_->config.variables->given = std::move(values); }

std::vector<Layer> LayerList(std::string name, std::vector<Layer> layers) {
  std::map<std::string, int> used;
  for (Layer& layer : layers) {
    LayerConfig& config = layer.mutable_config();
    const std::string base = KerasSnakeCase(KerasClassOf(config));
    const int count = used[base]++;
    config.place = name + "/" + (count == 0 ? base : fmt::format("{}_{}", base, count));
  }
  return layers;
}

absl::Status Layer::CheckUnused(std::string_view verb) const {
  if (!state_->used) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: {} it before a model takes it or it is called; later use the model's SetLayerWeights",
                  state_->config.name.empty() ? state_->config.item.id : state_->config.name, verb));
}

SymbolicTensor Layer::operator()(SymbolicTensors inputs, Where where) const {
  SymbolicCall call;
  call.number = NextSymbolNumber();
  call.layer_id = state_->id;
  call.layer = state_->config;
  MarkUsed();
  call.inputs = std::move(inputs);
  call.where = where;
  call.error = state_->error;
  return SymbolicTensor(std::make_shared<const SymbolicCall>(std::move(call)));
}

Type SymbolicTensor::type() const {
  if (!call_) return {};
  if (call_->input) return BatchType(call_->input->dtype, call_->input->shape);
  std::call_once(call_->types->once, [&] { call_->types->outputs = OutputTypes(*call_); });
  return output_ < call_->types->outputs.size() ? call_->types->outputs[output_] : Type{};
}

std::vector<int64_t> SymbolicTensor::shape() const {
  const Type of = type();
  return {of.shape.begin(), of.shape.end()};
}

int64_t SymbolicTensor::dim(int64_t axis) const {
  const Type of = type();
  if (axis < 0) axis += of.rank();
  return axis >= 0 && axis < of.rank() ? of.shape[size_t(axis)] : 0;
}

SymbolicTensor Input(std::vector<int64_t> shape, InputOptions options, std::source_location where) {
  SymbolicCall call;
  call.number = NextSymbolNumber();
  call.layer_id = call.number;
  call.input = InputConfig{std::move(options.name), options.dtype, Shape(shape.begin(), shape.end())};
  call.where = where;
  return SymbolicTensor(std::make_shared<const SymbolicCall>(std::move(call)));
}

}  // namespace fusebox
