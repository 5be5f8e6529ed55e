// SPDX-License-Identifier: Apache-2.0
// A plain stack of layers, from one input to one output: a Model of which the calls say nothing that the layers do not.
//
//   fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Dense(300, "relu"), fb::Dense(10, "softmax")});
//   absl::Status ok = model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
//   absl::StatusOr<fb::History> history = model.Fit(x_train, y_train, {.epochs = 30});
#pragma once
#include <string>
#include <vector>

#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

class Sequential : public Model {
 public:
  explicit Sequential(ModelOptions options = {});
  Sequential(std::vector<Layer> layers, ModelOptions options = {});
  // A model that was opened. Error (it sticks): it has several inputs or outputs.
  Sequential(Model model);

  // Puts a layer on top, or a model.
  Sequential& Add(Layer layer);
  Sequential& Add(const Model& model, Layer::Where where = Layer::Where::current());

  // What the last layer says of each sample: x [n, ...] -> f32 [n, ...]. Error: x of the wrong shape.
  absl::StatusOr<Tensor> Predict(const Tensor& x, PredictArgs args = {});
};

}  // namespace fusebox
