// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model.h"

#include <algorithm>
#include <map>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "fusebox/runtime/model/model_state.h"
#include "fusebox/runtime/plugins/nearest.h"

namespace fusebox {
namespace {

// Rows a call of the compiled prediction takes at once.
constexpr int64_t kPredictRows = 1024;

// The layer of this path; nullptr if there is none.
const LayerConfig* Find(const ModelConfig& model, std::string_view path) {
  const std::string_view name = path.substr(0, path.find('/'));
  const auto layer = std::ranges::find(model.layers, name, &LayerConfig::name);
  if (layer == model.layers.end()) return nullptr;
  if (name.size() == path.size()) return &*layer;
  return layer->model ? Find(*layer->model, path.substr(name.size() + 1)) : nullptr;
}

// The same description with variables of its own. Layers that are one layer stay one.
ModelConfig WithNewVariables(const ModelConfig& model,
                             std::map<const LayerVariables*, std::shared_ptr<LayerVariables>>& made) {
  ModelConfig copy = model;
  for (LayerConfig& layer : copy.layers) {
    std::shared_ptr<LayerVariables> own;
    std::shared_ptr<LayerVariables>& shared = layer.variables != nullptr ? made[layer.variables.get()] : own;
    if (shared == nullptr) shared = std::make_shared<LayerVariables>(layer.trainable);
    layer.variables = shared;
    if (layer.model != nullptr) {
      layer.model = std::make_shared<const ModelConfig>(WithNewVariables(*layer.model, made));
    }
  }
  return copy;
}
ModelConfig WithNewVariables(const ModelConfig& model) {
  std::map<const LayerVariables*, std::shared_ptr<LayerVariables>> made;
  return WithNewVariables(model, made);
}

// Copies values into weights, once all of them fit; `who` has them.
absl::Status SetAll(Variables& variables, const std::vector<const Variable*>& weights,
                    const std::vector<Tensor>& values, const std::string& who) {
  if (values.size() != weights.size()) return Refuse("{} has {} weights, got {}", who, weights.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const Shape got(values[i].shape().begin(), values[i].shape().end());
    if (got == weights[i]->type.shape) continue;
    return Refuse("'{}': expected the shape {}, got {}", weights[i]->name, ToString(weights[i]->type.shape),
                  ToString(got));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    FUSEBOX_RETURN_IF_ERROR(variables.Set(weights[i]->name, values[i]));
  }
  return absl::OkStatus();
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
  impl_->Declare({std::move(inputs), std::move(outputs)}, where);
}
Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

absl::StatusOr<Model> Model::FromConfig(const ModelConfig& config, const Expansions& embedded,
                                        std::optional<int64_t> seed) {
  return Sharing(WithNewVariables(config), embedded, seed);
}

absl::StatusOr<Model> Model::Sharing(const ModelConfig& config, const Expansions& embedded,
                                     std::optional<int64_t> seed) {
  auto impl = std::make_unique<Impl>(ModelOptions{.name = config.name, .seed = seed});
  impl->embedded = embedded;
  impl->Take(config);
  FUSEBOX_RETURN_IF_ERROR(impl->status);
  if (config.compile && (config.compile->HasLoss() || AddsLosses(config)))
    FUSEBOX_RETURN_IF_ERROR(impl->Compile(*config.compile, false));
  return Model(std::move(impl));
}

const absl::Status& Model::status() const { return impl_->status; }
const ModelConfig& Model::config() const {
  NameByClass();
  impl_->SettleTrainable();
  return impl_->config;
}

std::vector<SymbolicTensor> Model::Apply(SymbolicTensors inputs, Layer::Where where) const {
  const auto call = std::make_shared<const SymbolicCall>(Called(std::move(inputs), where));
  std::vector<SymbolicTensor> outputs = {SymbolicTensor(call)};  // One, also where there is an error to tell.
  for (size_t i = 1; i < OutputsOf(impl_->config).size(); ++i) outputs.emplace_back(call, i);
  return outputs;
}
SymbolicTensor Model::operator()(SymbolicTensors inputs, Layer::Where where) const {
  return Apply(std::move(inputs), where)[0];
}

absl::Status Model::Compile(CompileArgs args) {
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  NameByClass();
  if (impl_->config.IsSubclass() && !impl_->HasInput()) return impl_->CompileLater(std::move(args));
  const bool keep = args.keep_optimizer_state;
  FUSEBOX_ASSIGN_OR_RETURN(CompileConfig compile,
                           ReadCompileArgs(std::move(args), impl_->config.name, OutputNames(impl_->config)));
  return impl_->Compile(std::move(compile), keep);
}

absl::StatusOr<Arrays> Model::Predict(const Arrays& x, PredictArgs args) {
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("batch_size", args.batch_size));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("steps", args.steps));
  FUSEBOX_RETURN_IF_ERROR(Settle(x));
  PortData data;
  FUSEBOX_ASSIGN_OR_RETURN(data.x, impl_->TakeInputs(x));
  const int64_t batch =
      args.batch_size || args.steps ? BatchSizeFor(args.batch_size, args.steps, data.rows()) : kPredictRows;
  const int64_t all = StepsFor(data.rows(), batch), steps = std::min(all, args.steps.value_or(all));
  const int64_t rows = std::min(data.rows(), steps * batch);
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
  FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program,
                           impl_->Compiled(ProgramKind::kPrediction, data.Types(), batch, args.target_cpu));
  const std::vector<std::string> names = OutputNames(impl_->config), ports = OutputPorts(impl_->config);
  std::vector<NamedTensor> predicted;
  for (size_t i = 0; i < names.size(); ++i) {
    const Type& type = impl_->OutputTypes()[i];
    std::vector<int64_t> shape(type.shape.begin(), type.shape.end());
    shape[0] = rows;
    Tensor& y = predicted.emplace_back(NamedTensor{names[i], Tensor(type.dtype, std::move(shape))}).value;
    program->Bind(Port::Kind::kOutput, ports[i], y.mutable_raw());
  }
  if (rows == 0) return Arrays(std::move(predicted));
  BindData(*program, impl_->config, Port::Kind::kInput, data);
  std::atomic<uint32_t> yield = 0;
  const SignalSets signals(yield);
  program->Run(program->Threads(args.threads, most_threads), 0, steps, batch, rows, &yield);
  if (SignalArrived() != 0) return Interrupted();
  return Arrays(std::move(predicted));
}

absl::StatusOr<Arrays> Model::PredictOnBatch(const Arrays& x, PredictArgs args) {
  // The program that Predict has will do for most batches.
  args.batch_size = std::max(x.size() > 0 ? x[0].rows() : 0, kPredictRows);
  args.steps.reset();
  return Predict(x, std::move(args));
}

absl::StatusOr<Logs> Model::Evaluate(const Arrays& x, const Arrays& y, EvaluateArgs args) {
  FUSEBOX_RETURN_IF_ERROR(Settle(x));
  if (!impl_->config.compile) {
    return absl::FailedPreconditionError(fmt::format("model '{}' is not compiled: it has no loss", impl_->config.name));
  }
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("batch_size", args.batch_size));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("steps", args.steps));
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
  FUSEBOX_ASSIGN_OR_RETURN(PortData data, impl_->TakeData(x, y, ""));
  FUSEBOX_RETURN_IF_ERROR(impl_->TakeWeights(args.sample_weight, {}, data));
  if (data.rows() == 0) return Refuse("x has no samples");
  const int64_t batch = BatchSizeFor(args.batch_size, args.steps, data.rows());
  FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program,
                           impl_->Compiled(ProgramKind::kEvaluation, data.Types(), batch, args.target_cpu));
  FUSEBOX_ASSIGN_OR_RETURN(impl_->results, EvaluateChecked(*program, impl_->config, data, batch, args.steps,
                                                           program->Threads(args.threads, most_threads)));
  return impl_->results;
}

absl::StatusOr<std::vector<Tensor>> Model::GetWeights() {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  return Copies(impl_->Weights());
}

absl::Status Model::SetWeights(const std::vector<Tensor>& values) {
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  return SetAll(impl_->variables, impl_->Weights(), values, fmt::format("model '{}'", impl_->config.name));
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
  FUSEBOX_RETURN_IF_ERROR(GetLayer(name).status());
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  return Copies(impl_->Weights(name));
}

absl::Status Model::SetLayerWeights(std::string_view name, const std::vector<Tensor>& values) {
  FUSEBOX_RETURN_IF_ERROR(GetLayer(name).status());
  NameByClass();
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  return SetAll(impl_->variables, impl_->Weights(name), values, fmt::format("layer '{}'", name));
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

absl::StatusOr<Model> Model::Clone(std::optional<int64_t> seed) const {
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  ModelConfig config = this->config();
  if (config.IsSubclass()) {
    return Refuse("model '{}' is the C++ class {}: make another object of it, or clone what Traced() gives",
                  config.name, config.class_name);
  }
  config.compile.reset();
  return FromConfig(config, impl_->embedded, seed);
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
