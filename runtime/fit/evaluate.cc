// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/evaluate.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <limits>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {
namespace {

// Rows a call of the compiled prediction takes at once.
constexpr int64_t kPredictRows = 1024;

}  // namespace

int64_t BatchSizeFor(std::optional<int64_t> asked, std::optional<int64_t> steps, int64_t rows) {
  constexpr int64_t kKeras = 32;
  if (asked) return *asked;
  return steps ? std::max<int64_t>(StepsFor(rows, *steps), 1) : kKeras;
}

absl::Status CheckPositive(const char* name, std::optional<int64_t> number) {
  if (!number || *number >= 1) return absl::OkStatus();
  return Refuse("{}: expected 1 or more, got {}", name, *number);
}

absl::Status Interrupted() {
  return absl::CancelledError(fmt::format("interrupted by {}", SignalArrived() == SIGTERM ? "SIGTERM" : "SIGINT"));
}

Logs ReadLogs(const BoundProgram& program, const std::vector<std::string>& names) {
  Logs logs;
  for (const std::string& name : names) {
    const Tensor value = program.FixedOutput(name);
    if (value.empty()) {
      logs.push_back({name, std::numeric_limits<double>::quiet_NaN()});
      continue;
    }
    const std::vector<std::string> each = NamesOfElements(name, {value.shape().begin(), value.shape().end()});
    for (size_t i = 0; i < each.size(); ++i) logs.push_back({each[i], value.values<float>()[i]});
  }
  return logs;
}

absl::StatusOr<Logs> EvaluateChecked(BoundProgram& program, const ModelConfig& model, const PortData& data,
                                     int64_t batch_size, std::optional<int64_t> steps, int64_t threads) {
  const int64_t all = StepsFor(data.rows(), batch_size);
  std::atomic<uint32_t> yield = 0;
  const SignalSets signals(yield);
  program.ResetAccumulators();
  BindData(program, model, Port::Kind::kInput, data);
  program.Run(threads, 0, std::min(all, steps.value_or(all)), batch_size, data.rows(), &yield);
  if (SignalArrived() != 0) return Interrupted();
  return ReadLogs(program, LogNames(model));
}

PassSize PredictionSize(const PredictArgs& args, int64_t rows) {
  const int64_t batch = args.batch_size || args.steps ? BatchSizeFor(args.batch_size, args.steps, rows) : kPredictRows;
  const int64_t all = StepsFor(rows, batch), steps = std::min(all, args.steps.value_or(all));
  return {batch, steps, std::min(rows, steps * batch)};
}

absl::StatusOr<Arrays> RunPrediction(BoundProgram& program, const Model::Impl& model, const PortData& data,
                                     const PassSize& size, int64_t threads) {
  const std::vector<std::string> names = OutputNames(model.config), ports = OutputPorts(model.config);
  std::vector<NamedTensor> predicted;
  for (size_t i = 0; i < names.size(); ++i) {
    const Type& type = model.OutputTypes()[i];
    std::vector<int64_t> shape(type.shape.begin(), type.shape.end());
    shape[0] = size.rows;
    Tensor& y = predicted.emplace_back(NamedTensor{names[i], Tensor(type.dtype, std::move(shape))}).value;
    program.Bind(Port::Kind::kOutput, ports[i], y.mutable_raw());
  }
  if (size.rows == 0) return Arrays(std::move(predicted));
  BindData(program, model.config, Port::Kind::kInput, data);
  std::atomic<uint32_t> yield = 0;
  const SignalSets signals(yield);
  program.Run(threads, 0, size.steps, size.batch, size.rows, &yield);
  if (SignalArrived() != 0) return Interrupted();
  return Arrays(std::move(predicted));
}

absl::StatusOr<Arrays> Model::Predict(const Arrays& x, PredictArgs args) {
  return impl_->Exclusively([&]() -> absl::StatusOr<Arrays> {
    FUSEBOX_RETURN_IF_ERROR(CheckPositive("batch_size", args.batch_size));
    FUSEBOX_RETURN_IF_ERROR(CheckPositive("steps", args.steps));
    FUSEBOX_RETURN_IF_ERROR(Settle(x));
    PortData data;
    FUSEBOX_ASSIGN_OR_RETURN(data.x, TakeInputs(*impl_, x));
    const PassSize size = PredictionSize(args, data.rows());
    FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
    FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program,
                             impl_->Compiled(ProgramKind::kPrediction, data.Types(), size.batch, args.target_cpu));
    return RunPrediction(*program, *impl_, data, size, program->Threads(args.threads, most_threads));
  });
}

absl::StatusOr<Arrays> Model::PredictOnBatch(const Arrays& x, PredictArgs args) {
  // The program that Predict has will do for most batches.
  args.batch_size = std::max(x.size() > 0 ? x[0].rows() : 0, kPredictRows);
  args.steps.reset();
  return Predict(x, std::move(args));
}

absl::StatusOr<Logs> Model::Evaluate(const Arrays& x, const Arrays& y, EvaluateArgs args) {
  return impl_->Exclusively([&]() -> absl::StatusOr<Logs> {
    FUSEBOX_RETURN_IF_ERROR(Settle(x));
    if (!impl_->config.compile) {
      return absl::FailedPreconditionError(
          fmt::format("model '{}' is not compiled: it has no loss", impl_->config.name));
    }
    FUSEBOX_RETURN_IF_ERROR(CheckUsable(ProgramKind::kEvaluation, impl_->config));
    FUSEBOX_RETURN_IF_ERROR(CheckPositive("batch_size", args.batch_size));
    FUSEBOX_RETURN_IF_ERROR(CheckPositive("steps", args.steps));
    FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
    FUSEBOX_ASSIGN_OR_RETURN(PortData data, TakeData(*impl_, x, y, ""));
    FUSEBOX_RETURN_IF_ERROR(TakeWeights(*impl_, args.sample_weight, {}, data));
    if (data.rows() == 0) return Refuse("x has no samples");
    const int64_t batch = BatchSizeFor(args.batch_size, args.steps, data.rows());
    FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program,
                             impl_->Compiled(ProgramKind::kEvaluation, data.Types(), batch, args.target_cpu));
    FUSEBOX_ASSIGN_OR_RETURN(impl_->results, EvaluateChecked(*program, impl_->config, data, batch, args.steps,
                                                             program->Threads(args.threads, most_threads)));
    return impl_->results;
  });
}

}  // namespace fusebox
