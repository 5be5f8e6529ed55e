// SPDX-License-Identifier: Apache-2.0
// The methods of Model that run the Call of its class. They are here because only the object itself has its Call.
#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/model/declare.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/model/traced_class.h"

namespace fusebox {
namespace {

// The class's name without namespaces: "WideAndDeepModel" for "demo::(anonymous namespace)::WideAndDeepModel".
std::string ClassName(const std::type_info& type) {
  int error = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, &error),
                                                    std::free);
  std::string name = error == 0 ? text.get() : type.name();
  name = name.substr(0, name.find('<'));
  if (const size_t colon = name.rfind(':'); colon != std::string::npos) name.erase(0, colon + 1);
  return name;
}

// Whether a Call is running, and whether for training. Models called within a Call for training are called for
// training.
struct Calling {
  bool running = false, trains = false;
};
thread_local Calling calling_now;

// Sets a value for a scope and restores the old one at the end, also when Call throws.
template <class T>
class Holds {
 public:
  Holds(T& place, T value) : place_(place), saved_(std::exchange(place, std::move(value))) {}
  ~Holds() { place_ = std::move(saved_); }
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

 private:
  T& place_;
  T saved_;
};

}  // namespace

Model::Model(ModelOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  impl_->form = std::make_unique<TracedClass>(*impl_);
  impl_->config.class_name = "Model";
}

CallOutputs Model::Call(const SymbolicTensors&, bool) const { return {}; }

void Model::NameByClass() const {
  ModelConfig& config = impl_->config;
  if (!config.IsSubclass()) return;
  // An object whose class was sliced off by a move into a fb::Model keeps the name.
  if (typeid(*this) != typeid(Model)) config.class_name = ClassName(typeid(*this));
  if (config.name.empty()) config.name = KerasSnakeCase(config.class_name);
}

absl::Status Model::Trace(const std::vector<InputConfig>& inputs) const {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  TracedClass* const traced = TracedClass::Of(*impl_);
  if (traced->Activate(inputs)) return traced->CompileNow();
  const std::string& name = impl_->config.name;
  if (typeid(*this) == typeid(Model)) {
    return absl::FailedPreconditionError(fmt::format(
        "model '{}' is not traced for {}, and the object that has its Call is gone: it was moved into a fb::Model",
        name, SignatureOf(inputs)));
  }
  const int64_t boundary = NextSymbolNumber();
  Declaration runs[2];
  for (const bool training : {false, true}) {
    Declaration& run = runs[training];
    for (const InputConfig& input : inputs) {
      run.inputs.push_back(Input({input.shape.begin(), input.shape.end()}, {input.name, input.dtype}));
    }
    const Holds<Declaration*> collects(traced->calling, &run);
    const Holds<Calling> now(calling_now, {true, training});
    const CallOutputs made = Call(run.inputs, training);
    run.outputs = made.values();
    run.output_names = made.names();
  }
  const absl::Status added = traced->AddTrace(inputs, runs[0], runs[1], boundary);
  if (!added.ok()) return Refuse("model '{}', traced for {}: {}", name, SignatureOf(inputs), Message(added));
  return traced->CompileNow();
}

absl::Status Model::Settle(const Arrays& x) const {
  impl_->SettleTrainable();
  const ModelConfig& known = impl_->config;
  if (!known.IsSubclass()) return impl_->SettleInput(x);
  NameByClass();
  std::vector<NamedTensor> arrays = x.named();
  const bool named = !arrays.empty() && !arrays[0].name.empty();
  if (named && impl_->HasInput()) {
    const std::vector<std::string> names = InputNames(known);
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Tensor> ordered, x.InOrder(names, known.name, "input", "x"));
    for (size_t i = 0; i < ordered.size(); ++i) arrays[i] = {names[i], ordered[i]};
  }
  if (arrays.empty()) return Refuse("model '{}': x has no arrays", known.name);
  const bool alike = arrays.size() == known.inputs.size();
  std::vector<InputConfig> inputs;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const Tensor& array = arrays[i].value;
    if (array.rank() < 1) return Refuse("x: expected [samples, ...], got a scalar");
    InputConfig& input = inputs.emplace_back();
    input.name = alike ? known.inputs[i].name : named ? arrays[i].name : fmt::format("input_{}", i + 1);
    if (alike) input.dtype = known.inputs[i].dtype;
    input.shape = Shape(array.shape().begin() + 1, array.shape().end());
  }
  return Trace(inputs);
}

absl::Status Model::Build(const SymbolicTensors& inputs) {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  if (!impl_->config.IsSubclass()) {
    return Refuse("model '{}' is not a class with a Call: its inputs were declared when it was made",
                  impl_->config.name);
  }
  if (inputs.empty()) return Refuse("model '{}': it needs an input", impl_->config.name);
  std::vector<InputConfig> configs;
  for (const SymbolicTensor& input : inputs) {
    if (!input.call() || !input.call()->input) {
      return Refuse("model '{}': Build expects values of fb::Input", impl_->config.name);
    }
    InputConfig& config = configs.emplace_back(*input.call()->input);
    if (config.name.empty()) config.name = fmt::format("input_{}", configs.size());
  }
  return Trace(configs);
}

absl::Status Model::Build(const std::vector<std::vector<int64_t>>& shapes) {
  SymbolicTensors inputs;
  for (const std::vector<int64_t>& shape : shapes) inputs.push_back(Input(shape));
  return Build(inputs);
}

SymbolicCall Model::Called(SymbolicTensors inputs, Layer::Where where) const {
  NameByClass();
  impl_->SettleTrainable();
  std::string error = Message(impl_->status);
  if (impl_->config.IsSubclass()) {
    std::vector<InputConfig> configs;
    for (const SymbolicTensor& input : inputs) {
      const Type type = input.type();
      // A call before this one has an error and reports it.
      if (type.dtype == DType::kError) break;
      if (type.shape.empty() || type.shape[0] != kBatch) {
        error = fmt::format("model '{}' expects [N, ...], got {}", impl_->config.name, ToString(type));
        break;
      }
      configs.push_back(
          {fmt::format("input_{}", configs.size() + 1), type.dtype, Shape(type.shape.begin() + 1, type.shape.end())});
    }
    if (configs.size() == inputs.size() && !inputs.empty()) error = Message(Trace(configs));
    if (error.empty() && impl_->DiffersInTraining() && !calling_now.running) {
      error =
          fmt::format("model '{}' computes something else in training, so only the Call of another class can call it",
                      impl_->config.name);
    }
  }
  SymbolicCall call = impl_->CallAsLayer(std::move(inputs), calling_now.trains, where);
  call.error = std::move(error);
  return call;
}

absl::StatusOr<Model> Model::Traced() {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  FUSEBOX_RETURN_IF_ERROR(impl_->CanBeFrozen());
  FUSEBOX_ASSIGN_OR_RETURN(Model traced, Sharing(Frozen(impl_->config), impl_->embedded, impl_->seed));
  FUSEBOX_RETURN_IF_ERROR(traced.impl_->TakeOptimizer(*impl_));
  return traced;
}

void Model::AddLoss(const SymbolicTensor& value, Layer::Where where) const {
  impl_->AddToDeclaration("AddLoss", where, [&](Declaration& declared) { declared.losses.push_back(value); });
}

void Model::AddMetric(const SymbolicTensor& value, std::string name, Layer::Where where) const {
  impl_->AddToDeclaration("AddMetric", where,
                          [&](Declaration& declared) { declared.metrics.emplace_back(value, name); });
}

}  // namespace fusebox
