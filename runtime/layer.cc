// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/layer.h"

#include <atomic>

namespace fusebox {

int64_t NextSymbolNumber() {
  static std::atomic<int64_t> last = 0;
  return ++last;
}

Layer::Layer(std::string id, ItemAttributes attributes, LayerOptions options, Where where)
    : config_{.item = {std::move(id), std::move(attributes)},
              .name = std::move(options.name),
              .trainable = options.trainable},
      input_shape_(std::move(options.input_shape)),
      where_(where),
      id_(NextSymbolNumber()) {}

SymbolicTensor Layer::operator()(SymbolicTensors inputs, Where where) const {
  SymbolicCall call;
  call.number = NextSymbolNumber();
  call.layer_id = id_;
  call.layer = config_;
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
