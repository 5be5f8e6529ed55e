// SPDX-License-Identifier: Apache-2.0
// The methods of Model that declare, describe and change it.
#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/model.h"
#include "fusebox/runtime/model/functional.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/model/traced_class.h"
#include "fusebox/runtime/plugins/nearest.h"

namespace fusebox {
namespace {

// The layer with this path; null if there is none.
const LayerConfig* Find(const ModelConfig& model, std::string_view path) {
  const std::string_view name = path.substr(0, path.find('/'));
  const auto layer = std::ranges::find(model.layers, name, &LayerConfig::name);
  if (layer == model.layers.end()) return nullptr;
  if (name.size() == path.size()) return &*layer;
  return layer->model ? Find(*layer->model, path.substr(name.size() + 1)) : nullptr;
}

// Copies values into weights, or none of them if one does not fit. `who` names the component that has the weights.
absl::Status SetAll(Variables& variables, const std::vector<const Variable*>& weights,
                    const std::vector<Tensor>& values, const std::string& who) {
  if (values.size() != weights.size()) return Refuse("{} has {} weights, got {}", who, weights.size(), values.size());
  std::vector<Assignment> assignments;
  for (size_t i = 0; i < values.size(); ++i) assignments.push_back({weights[i]->name, &values[i]});
  return variables.SetAll(assignments);
}

std::vector<Tensor> Copies(const std::vector<const Variable*>& weights) {
  std::vector<Tensor> values;
  for (const Variable* weight : weights) values.push_back(weight->value.Clone());
  return values;
}

}  // namespace

Model::Model(SymbolicTensors inputs, SymbolicTensors outputs, ModelOptions options, Layer::Where where)
    : impl_(std::make_unique<Impl>(options)) {
  if (impl_->config.name.empty()) impl_->config.name = "functional";
  auto form = std::make_unique<Functional>(*impl_);
  form->Declare({std::move(inputs), std::move(outputs)}, where);
  impl_->form = std::move(form);
}
Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const absl::Status& Model::status() const { return impl_->status; }
const ModelConfig& Model::config() const {
  NameByClass();
  impl_->SettleTrainable();
  return impl_->config;
}

std::vector<SymbolicTensor> Model::Apply(SymbolicTensors inputs, Layer::Where where) const {
  const auto call = std::make_shared<const SymbolicCall>(Called(std::move(inputs), where));
  std::vector<SymbolicTensor> outputs = {SymbolicTensor(call)};  // At least one, which carries any error.
  for (size_t i = 1; i < OutputsOf(impl_->config).size(); ++i) outputs.emplace_back(call, i);
  return outputs;
}
SymbolicTensor Model::operator()(SymbolicTensors inputs, Layer::Where where) const {
  return Apply(std::move(inputs), where)[0];
}

absl::Status Model::Compile(CompileArgs args) {
  return impl_->Exclusively([&]() -> absl::Status {
    FUSEBOX_RETURN_IF_ERROR(impl_->status);
    NameByClass();
    if (TracedClass* const traced = TracedClass::Of(*impl_); traced != nullptr && !impl_->HasInput()) {
      return traced->CompileLater(std::move(args));
    }
    const bool keep = args.keep_optimizer_state;
    FUSEBOX_ASSIGN_OR_RETURN(CompileConfig compile,
                             ReadCompileArgs(std::move(args), impl_->config.name, OutputNames(impl_->config)));
    return impl_->Compile(std::move(compile), keep);
  });
}

absl::StatusOr<std::vector<Tensor>> Model::GetWeights() {
  return impl_->Exclusively([&]() -> absl::StatusOr<std::vector<Tensor>> {
    NameByClass();
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
    return Copies(impl_->Weights());
  });
}

absl::Status Model::SetWeights(const std::vector<Tensor>& values) {
  return impl_->Exclusively([&]() -> absl::Status {
    NameByClass();
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
    return SetAll(impl_->variables, impl_->Weights(), values, fmt::format("model '{}'", impl_->config.name));
  });
}

absl::StatusOr<LayerConfig> Model::GetLayer(std::string_view name) const {
  NameByClass();
  if (const LayerConfig* layer = Find(impl_->config, name)) return *layer;
  std::vector<std::string> known;
  for (const LayerConfig& layer : impl_->config.layers) known.push_back(layer.name);
  for (const LeafLayer& layer : LeafLayers(impl_->config)) {
    if (layer.path.find('/') != std::string::npos) known.push_back(layer.path);
  }
  return absl::NotFoundError(
      fmt::format("model '{}' has no layer '{}': {}", impl_->config.name, name, SuggestNames(name, known)));
}

absl::StatusOr<std::vector<Tensor>> Model::GetLayerWeights(std::string_view name) {
  return impl_->Exclusively([&]() -> absl::StatusOr<std::vector<Tensor>> {
    FUSEBOX_RETURN_IF_ERROR(GetLayer(name).status());
    NameByClass();
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
    return Copies(impl_->Weights(name));
  });
}

absl::Status Model::SetLayerWeights(std::string_view name, const std::vector<Tensor>& values) {
  return impl_->Exclusively([&]() -> absl::Status {
    FUSEBOX_RETURN_IF_ERROR(GetLayer(name).status());
    NameByClass();
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
    return SetAll(impl_->variables, impl_->Weights(name), values, fmt::format("layer '{}'", name));
  });
}

absl::Status Model::SetTrainable(std::string_view name, bool trainable) {
  FUSEBOX_ASSIGN_OR_RETURN(const LayerConfig layer, GetLayer(name));
  SetTrainableOf(layer, trainable);
  impl_->SettleTrainable();
  return absl::OkStatus();
}

void Model::SetTrainable(bool trainable) {
  impl_->own->trainable = trainable;
  for (const LayerConfig& layer : impl_->config.layers) SetTrainableOf(layer, trainable);
  impl_->SettleTrainable();
}

absl::StatusOr<std::vector<CallTypes>> Model::call_types() const {
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  if (!impl_->HasInput()) return absl::FailedPreconditionError("the input's shape is not known");
  return InferTypes(impl_->config, impl_->InputTypes(), impl_->embedded);
}

absl::StatusOr<Graph> Model::Program(ProgramKind kind, std::optional<DType> x_dtype) const {
  NameByClass();
  impl_->SettleTrainable();
  BatchTypes data = impl_->UsualData();
  if (x_dtype) {
    for (Type& x : data.x) x.dtype = *x_dtype;
  }
  FUSEBOX_ASSIGN_OR_RETURN(Graph program, impl_->Program(kind, data));
  WriteExpansions(impl_->KeptSymbols(), program);
  return program;
}

}  // namespace fusebox
