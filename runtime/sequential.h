// SPDX-License-Identifier: Apache-2.0
// A plain stack of layers, from one input to one output: a Model of which the calls say nothing that the layers do not.
//
//   fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Dense(300, "relu"), fb::Dense(10, "softmax")});
//   absl::Status ok = model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
//   absl::StatusOr<fb::History> history = model.Fit(x_train, y_train, {.epochs = 30});
//
// Or layer by layer: fb::Sequential model; model.Add(fb::Input({28, 28})); model.Add(fb::Flatten()); ...
#pragma once
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

class Sequential;

// What a stack is made of: layers, models, and in front of them perhaps an fb::Input, which gives the input's shape, name
// and dtype. Else the shape is that of the first layer's input_shape, or of the first data.
struct StackItem {
  StackItem(Layer layer) : add([layer = std::move(layer)](Sequential& stack) { AddTo(stack, layer); }) {}
  StackItem(SymbolicTensor input) : add([input = std::move(input)](Sequential& stack) { AddTo(stack, input); }) {}
  // The model has to stay until the stack is made.
  StackItem(const Model& model, Layer::Where where = Layer::Where::current())
      : add([&model, where](Sequential& stack) { AddTo(stack, model, where); }) {}

  std::function<void(Sequential&)> add;  // Puts it on top.

 private:
  static void AddTo(Sequential& stack, const Layer& layer);
  static void AddTo(Sequential& stack, const SymbolicTensor& input);
  static void AddTo(Sequential& stack, const Model& model, Layer::Where where);
};

// A stack of layers. Source: keras.Sequential.
class Sequential : public Model {
 public:
  explicit Sequential(ModelOptions options = {});
  Sequential(std::initializer_list<StackItem> items, ModelOptions options = {});
  Sequential(const std::vector<Layer>& layers, ModelOptions options = {});
  // A model that was opened. Error (it sticks): it has several inputs or outputs.
  Sequential(Model model);

  // Puts a layer on top, or a model; or gives the input, before the first layer.
  Sequential& Add(Layer layer);
  Sequential& Add(const Model& model, Layer::Where where = Layer::Where::current());
  Sequential& Add(const SymbolicTensor& input, Layer::Where where = Layer::Where::current());

  // Takes the last layer away, with its weights and with what the optimizer has remembered; the others keep their weights,
  // and the model stays compiled: what no longer fits its loss, Fit will say. Error (it sticks): there is none. Source:
  // keras.Sequential.pop.
  Sequential& Pop();

  // What the last layer says of each sample: x [n, ...] -> f32 [n, ...]. Error: x of the wrong shape.
  absl::StatusOr<Tensor> Predict(const Tensor& x, PredictArgs args = {});
};

}  // namespace fusebox
