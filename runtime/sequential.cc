// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/sequential.h"

#include "fusebox/graph/status.h"
#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/model/stack.h"

namespace fusebox {
namespace {

// The model's stack. If the model was opened or declared in another form, records an error that names the layer, and
// returns null.
Stack* StackOf(Model::Impl& model, const std::string& layer, const Layer::Where& where) {
  Stack* const stack = Stack::Of(model);
  if (stack == nullptr && model.status.ok()) {
    model.status = Refuse("{}{}a layer can be added to a stack only", LineOf(where), Quoted(layer));
  }
  return stack;
}

}  // namespace

Sequential::Sequential(ModelOptions options) : Model(std::make_unique<Impl>(std::move(options))) {
  if (impl_->config.name.empty()) impl_->config.name = "sequential";
  impl_->form = std::make_unique<Stack>(*impl_);
}
void StackItem::AddTo(Sequential& stack, const Layer& layer) { stack.Add(layer); }
void StackItem::AddTo(Sequential& stack, const SymbolicTensor& input) { stack.Add(input); }
void StackItem::AddTo(Sequential& stack, const Model& model, Layer::Where where) { stack.Add(model, where); }

Sequential::Sequential(std::initializer_list<StackItem> items, ModelOptions options) : Sequential(std::move(options)) {
  for (const StackItem& item : items) item.add(*this);
}
Sequential::Sequential(const std::vector<Layer>& layers, ModelOptions options) : Sequential(std::move(options)) {
  for (const Layer& layer : layers) Add(layer);
}
Sequential::Sequential(Model model) : Model(std::move(model)) {
  const size_t inputs = impl_->config.inputs.size(), outputs = OutputsOf(impl_->config).size();
  if (!impl_->status.ok() || (inputs <= 1 && outputs == 1)) return;
  impl_->status = Refuse("model '{}' has {} inputs and {} outputs, a Sequential has one of each", impl_->config.name,
                         inputs, outputs);
}

Sequential& Sequential::Add(Layer layer) {
  layer.MarkUsed();
  if (impl_->status.ok() && !layer.error().empty()) {
    impl_->status = Refuse("{}:{}: {}", layer.where().file_name(), layer.where().line(), layer.error());
  }
  if (Stack* const stack = StackOf(*impl_, layer.config().name, layer.where())) {
    stack->Add(layer.config(), layer.input_shape(), &layer.where());
  }
  return *this;
}

Sequential& Sequential::Add(const Model& model, Layer::Where where) {
  // A class is traced for the output of the layer before it.
  SymbolicTensors inputs;
  if (model.config().IsSubclass() && impl_->HasInput() && impl_->status.ok()) {
    const Type x = impl_->outputs.empty() ? impl_->InputTypes()[0] : impl_->outputs[0];
    inputs = Input({x.shape.begin() + 1, x.shape.end()}, {.dtype = x.dtype}, where);
  }
  const auto call = model(inputs, where).call();
  if (impl_->status.ok() && model.config().IsSubclass() && inputs.empty()) {
    impl_->status = Refuse("{}:{}: model '{}': the class {} is traced for its inputs: put an fb::Input first",
                           where.file_name(), where.line(), impl_->config.name, model.config().class_name);
  } else if (impl_->status.ok() && !call->error.empty()) {
    impl_->status = Refuse("{}:{}: {}", where.file_name(), where.line(), call->error);
  }
  if (Stack* const stack = StackOf(*impl_, call->layer.name, where)) stack->Add(call->layer, {}, &where);
  return *this;
}

Sequential& Sequential::Add(const SymbolicTensor& input, Layer::Where where) {
  const SymbolicCall* const call = input.call().get();
  if (call != nullptr && call->input) {
    if (Stack* const stack = StackOf(*impl_, call->input->name, call->where))
      stack->AddInput(*call->input, call->where);
  } else if (impl_->status.ok()) {
    impl_->status =
        Refuse("{}:{}: model '{}': a stack takes layers, models and an Input, got the result of a layer's call",
               where.file_name(), where.line(), impl_->config.name);
  }
  return *this;
}

Sequential& Sequential::Pop() {
  if (Stack* const stack = Stack::Of(*impl_)) {
    stack->Pop();
  } else if (impl_->status.ok()) {
    impl_->status = Refuse("model '{}' has no layer to pop", impl_->config.name);
  }
  return *this;
}

absl::StatusOr<Tensor> Sequential::Predict(const Tensor& x, PredictArgs args) {
  FUSEBOX_ASSIGN_OR_RETURN(const Arrays y, Model::Predict(x, std::move(args)));
  return y[0];
}

}  // namespace fusebox
