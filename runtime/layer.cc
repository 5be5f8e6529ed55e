// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/layer.h"

#include <atomic>

#include "fmt/format.h"

namespace fusebox {

int64_t NextSymbolNumber() {
  static std::atomic<int64_t> last = 0;
  return ++last;
}

Layer::Layer(std::string id, ItemAttributes attributes, LayerOptions options, Where where)
    : state_(std::make_shared<State>(State{.config = {.item = {std::move(id), std::move(attributes)},
                                                      .name = std::move(options.name),
                                                      .trainable = options.trainable},
                                           .input_shape = std::move(options.input_shape),
                                           .where = where,
                                           .id = NextSymbolNumber(),
                                           .weights = std::move(options.weights)})) {}

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
  call.weights = state_->weights;
  MarkUsed();
  call.inputs = std::move(inputs);
  call.where = where;
  return SymbolicTensor(std::make_shared<const SymbolicCall>(std::move(call)));
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
