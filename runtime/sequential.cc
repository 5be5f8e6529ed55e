// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/sequential.h"

#include "fusebox/graph/status.h"
#include "fusebox/runtime/model_state.h"

namespace fusebox {

Sequential::Sequential(ModelOptions options) : Model(std::make_unique<Impl>(std::move(options))) {
  if (impl_->config.name.empty()) impl_->config.name = "sequential";
}
Sequential::Sequential(std::vector<Layer> layers, ModelOptions options) : Sequential(std::move(options)) {
  for (Layer& layer : layers) Add(std::move(layer));
}
Sequential::Sequential(Model model) : Model(std::move(model)) {
  const size_t inputs = impl_->config.inputs.size(), outputs = OutputsOf(impl_->config).size();
  if (!impl_->status.ok() || (inputs <= 1 && outputs == 1)) return;
  impl_->status = Refuse("model '{}' has {} inputs and {} outputs, a Sequential has one of each", impl_->config.name,
                         inputs, outputs);
}

Sequential& Sequential::Add(Layer layer) {
  layer.MarkUsed();
  impl_->Add(layer.config(), layer.input_shape(), &layer.where(), layer.weights());
  return *this;
}

Sequential& Sequential::Add(const Model& model, Layer::Where where) {
  const auto call = model(SymbolicTensors(), where).call();
  impl_->Add(call->layer, {}, &where, call->weights);
  return *this;
}

absl::StatusOr<Tensor> Sequential::Predict(const Tensor& x, PredictArgs args) {
  FUSEBOX_ASSIGN_OR_RETURN(const Arrays y, Model::Predict(x, std::move(args)));
  return y[0];
}

}  // namespace fusebox
