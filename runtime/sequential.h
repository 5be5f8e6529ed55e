// SPDX-License-Identifier: Apache-2.0
// A plain stack of layers, from one input to one output: a Model that its list of layers describes completely.
//
//   fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Dense(300, "relu"), fb::Dense(10, "softmax")});
//   absl::Status ok =
//       model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
//   absl::StatusOr<fb::History> history = model.Fit(x_train, y_train, {.epochs = 30});
//
// Layers may also be added one by one:
//
//   fb::Sequential model;
//   model.Add(fb::Input({28, 28}));
//   model.Add(fb::Flatten());
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

// An item of a stack: a layer, a model, or an fb::Input. An Input may only come first; it gives the input's shape, name
// and dtype. Without an Input the shape is that of the first layer's input_shape, or of the first data.
struct StackItem {
  // A layer.
  StackItem(Layer layer) : add([layer = std::move(layer)](Sequential& stack) { AddTo(stack, layer); }) {}
  // The input.
  StackItem(SymbolicTensor input) : add([input = std::move(input)](Sequential& stack) { AddTo(stack, input); }) {}
  // A model, used as a layer. It has to exist until the stack is made.
  StackItem(const Model& model, Layer::Where where = Layer::Where::current())
      : add([&model, where](Sequential& stack) { AddTo(stack, model, where); }) {}

  std::function<void(Sequential&)> add;  // Adds the item to a stack.

 private:
  static void AddTo(Sequential& stack, const Layer& layer);
  static void AddTo(Sequential& stack, const SymbolicTensor& input);
  static void AddTo(Sequential& stack, const Model& model, Layer::Where where);
};

// A stack of layers. See above.
class Sequential : public Model {
 public:
  // An empty stack.
  explicit Sequential(ModelOptions options = {});
  // A stack of these items, from the first to the last.
  Sequential(std::initializer_list<StackItem> items, ModelOptions options = {});
  // A stack of these layers, from the first to the last.
  Sequential(const std::vector<Layer>& layers, ModelOptions options = {});
  // Takes over a model, for example one from LoadModel. Error (it sticks): it has several inputs or outputs.
  Sequential(Model model);

  // Adds a layer after the last one.
  Sequential& Add(Layer layer);
  // Adds a model after the last layer. The stack shares the variables of the model's layers.
  Sequential& Add(const Model& model, Layer::Where where = Layer::Where::current());
  // Declares the input. Call before the first layer is added.
  Sequential& Add(const SymbolicTensor& input, Layer::Where where = Layer::Where::current());

  // Removes the last layer, with its weights and the optimizer's state. The other layers keep their weights, and the
  // model stays compiled. If its loss no longer fits, Fit returns an error. Error (it sticks): there is no layer.
  // Source: keras.Sequential.pop.
  Sequential& Pop();

  // Computes the output for each sample: x [n, ...] -> f32 [n, ...]. Error: x has the wrong shape.
  absl::StatusOr<Tensor> Predict(const Tensor& x, PredictArgs args = {});
};

}  // namespace fusebox
