// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/sequential.h"

#include <cstring>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/interrupt.h"
#include "fusebox/runtime/model_state.h"
#include "fusebox/runtime/thread_pool.h"

namespace fusebox {
namespace {

// Rows a call of the compiled prediction takes at once.
constexpr int64_t kPredictRows = 1024;

}  // namespace

Sequential::Sequential(ModelOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Sequential::Sequential(std::vector<Layer> layers, ModelOptions options) : Sequential(std::move(options)) {
  for (Layer& layer : layers) Add(std::move(layer));
}
Sequential::Sequential(Sequential&&) noexcept = default;
Sequential& Sequential::operator=(Sequential&&) noexcept = default;
Sequential::~Sequential() = default;

absl::StatusOr<Sequential> Sequential::FromConfig(const ModelConfig& config, const Expansions& embedded,
                                                  std::optional<int64_t> seed) {
  Sequential model({.name = config.name, .seed = seed});
  Impl& impl = *model.impl_;
  impl.embedded = embedded;
  if (config.input) {
    impl.config.input = config.input;
    impl.output = impl.InputType();
  }
  for (const LayerConfig& layer : config.layers) impl.Add(layer, {}, nullptr);
  FUSEBOX_RETURN_IF_ERROR(impl.status);
  if (config.compile && !config.compile->loss.id.empty()) FUSEBOX_RETURN_IF_ERROR(impl.Compile(*config.compile, false));
  return model;
}

Sequential& Sequential::Add(Layer layer) {
  impl_->Add(layer.config(), layer.input_shape(), &layer.where());
  return *this;
}

const absl::Status& Sequential::status() const { return impl_->status; }
const ModelConfig& Sequential::config() const { return impl_->config; }

absl::Status Sequential::Compile(CompileArgs args) {
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  CompileConfig compile;
  FUSEBOX_ASSIGN_OR_RETURN(compile.optimizer, std::move(args.optimizer.spec));
  FUSEBOX_ASSIGN_OR_RETURN(compile.loss, std::move(args.loss.spec));
  for (ItemArg& metric : args.metrics) {
    FUSEBOX_RETURN_IF_ERROR(metric.spec.status());
    compile.metrics.push_back(*std::move(metric.spec));
  }
  for (ItemArg& metric : args.weighted_metrics) {
    FUSEBOX_RETURN_IF_ERROR(metric.spec.status());
    compile.weighted_metrics.push_back(*std::move(metric.spec));
  }
  return impl_->Compile(std::move(compile), args.keep_optimizer_state);
}

absl::StatusOr<Tensor> Sequential::Predict(const Tensor& x, PredictArgs args) {
  FUSEBOX_RETURN_IF_ERROR(impl_->SettleInput(x));
  FUSEBOX_RETURN_IF_ERROR(impl_->CheckInput(x));
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t threads, ThreadsFor(args.threads));
  const Type type = impl_->OutputType();
  FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program, impl_->Compiled(ProgramKind::kPrediction, {BatchTypeOf(x), {}},
                                                                        kPredictRows, args.target_cpu));
  std::vector<int64_t> shape(type.shape.begin(), type.shape.end());
  shape[0] = x.rows();
  Tensor y(type.dtype, std::move(shape));
  if (x.rows() == 0) return y;
  program->Bind(Port::Kind::kInput, "x", x.raw());
  program->Bind(Port::Kind::kOutput, "y", y.mutable_raw());
  std::atomic<uint32_t> yield = 0;
  const SignalSets signals(yield);
  program->Run(threads, 0, StepsFor(x.rows(), kPredictRows), kPredictRows, x.rows(), &yield);
  if (SignalArrived() != 0) return Interrupted();
  return y;
}

absl::StatusOr<Logs> Sequential::Evaluate(const Tensor& x, const Tensor& y, EvaluateArgs args) {
  FUSEBOX_RETURN_IF_ERROR(impl_->SettleInput(x));
  if (!impl_->config.compile) {
    return absl::FailedPreconditionError(fmt::format("model '{}' is not compiled: it has no loss", impl_->config.name));
  }
  if (args.batch_size < 1) return Refuse("batch_size: expected 1 or more, got {}", args.batch_size);
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t threads, ThreadsFor(args.threads));
  Data data{x, y};
  FUSEBOX_RETURN_IF_ERROR(impl_->CheckData(data, ""));
  FUSEBOX_ASSIGN_OR_RETURN(data.sample_weight, SampleWeights(args.sample_weight, {}, y));
  if (data.x.rows() == 0) return Refuse("x has no samples");
  FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program, impl_->Compiled(ProgramKind::kEvaluation, BatchTypesOf(data),
                                                                        args.batch_size, args.target_cpu));
  return EvaluateChecked(*program, *impl_->config.compile, data, args.batch_size, threads);
}

absl::StatusOr<std::vector<Tensor>> Sequential::GetWeights() {
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  std::vector<Tensor> values;
  for (const Variable* weight : impl_->Weights()) values.push_back(weight->value.Clone());
  return values;
}

absl::Status Sequential::SetWeights(const std::vector<Tensor>& values) {
  FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
  const std::vector<const Variable*> weights = impl_->Weights();
  if (values.size() != weights.size()) {
    return Refuse("model '{}' has {} weights, got {}", impl_->config.name, weights.size(), values.size());
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const Shape got(values[i].shape().begin(), values[i].shape().end());
    if (got != weights[i]->type.shape) {
      return Refuse("'{}': expected the shape {}, got {}", weights[i]->name, ToString(weights[i]->type.shape),
                    ToString(got));
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    FUSEBOX_RETURN_IF_ERROR(impl_->variables.Set(weights[i]->name, values[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LayerTypes>> Sequential::layer_types() const {
  FUSEBOX_RETURN_IF_ERROR(impl_->status);
  if (!impl_->HasInput()) return absl::FailedPreconditionError("the input's shape is not known");
  return InferLayerTypes(impl_->config, impl_->InputType(), impl_->embedded);
}

absl::StatusOr<Graph> Sequential::Program(ProgramKind kind, std::optional<DType> x_dtype) const {
  BatchTypes data = impl_->UsualData();
  if (x_dtype) data.x.dtype = *x_dtype;
  return impl_->Program(kind, data);
}

}  // namespace fusebox
