// SPDX-License-Identifier: Apache-2.0
// Single batches: TrainOnBatch, TestOnBatch, and the results of the last run.
#include "fusebox/graph/status.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/fit/evaluate.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "fusebox/runtime/fit/shuffle.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {
namespace {

// Checks the model and the arrays of a batch.
absl::StatusOr<PortData> TakeBatch(ProgramKind kind, Model::Impl& model, const Arrays& x, const Arrays& y,
                                   const Arrays& sample_weight, const ClassWeights& class_weight) {
  FUSEBOX_RETURN_IF_ERROR(model.status);
  if (!model.config.compile) {
    return absl::FailedPreconditionError(
        fmt::format("model '{}' is not compiled: call Compile first", model.config.name));
  }
  FUSEBOX_RETURN_IF_ERROR(CheckUsable(kind, model.config));
  FUSEBOX_ASSIGN_OR_RETURN(PortData data, TakeData(model, x, y, ""));
  FUSEBOX_RETURN_IF_ERROR(TakeWeights(model, sample_weight, class_weight, data));
  if (data.rows() == 0) return Refuse("x has no samples");
  if (data.rows() > INT32_MAX) return Refuse("x has {} samples, expected {} or fewer", data.rows(), INT32_MAX);
  return data;
}

// Runs one step and reads its losses and metrics.
absl::StatusOr<Logs> RunStep(Model::Impl& model, BoundProgram& program, int64_t threads, int64_t rows) {
  program.ResetAccumulators();
  program.Run(threads, 0, 1, rows, rows, nullptr);
  if (SignalArrived() != 0) return Interrupted();
  return model.results = ReadLogs(program, LogNames(model.config));
}

}  // namespace

absl::StatusOr<Logs> Model::TrainOnBatch(const Arrays& x, const Arrays& y, TrainOnBatchArgs args) {
  return impl_->Exclusively([&]() -> absl::StatusOr<Logs> {
    Impl& model = *impl_;
    FUSEBOX_RETURN_IF_ERROR(Settle(x));
    FUSEBOX_ASSIGN_OR_RETURN(const PortData data,
                             TakeBatch(ProgramKind::kTraining, model, x, y, args.sample_weight, args.class_weight));
    FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
    FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program, model.CompiledForBatch(ProgramKind::kTraining, data.Types(),
                                                                                 data.rows(), args.target_cpu));
    model.variables.SetInteger("seed", args.seed.value_or(model.seed));
    std::vector<int32_t> order(size_t(data.rows()), 0);
    FillInOrder(order);
    program->Bind(Port::Kind::kInput, "order", order.data());
    BindData(*program, model.config, Port::Kind::kRows, data);
    KeepWorkOnSignals(true);
    return RunStep(model, *program, program->Threads(args.threads, most_threads), data.rows());
  });
}

absl::StatusOr<Logs> Model::TestOnBatch(const Arrays& x, const Arrays& y, TestOnBatchArgs args) {
  return impl_->Exclusively([&]() -> absl::StatusOr<Logs> {
    Impl& model = *impl_;
    FUSEBOX_RETURN_IF_ERROR(Settle(x));
    FUSEBOX_ASSIGN_OR_RETURN(const PortData data,
                             TakeBatch(ProgramKind::kEvaluation, model, x, y, args.sample_weight, {}));
    FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
    FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program, model.CompiledForBatch(ProgramKind::kEvaluation, data.Types(),
                                                                                 data.rows(), args.target_cpu));
    BindData(*program, model.config, Port::Kind::kInput, data);
    return RunStep(model, *program, program->Threads(args.threads, most_threads), data.rows());
  });
}

Logs Model::GetMetricsResult() const {
  if (!impl_->results.empty() || !impl_->config.compile) return impl_->results;
  Logs none;
  for (std::string& name : LogNames(impl_->config)) none.push_back({std::move(name), 0});
  return none;
}

void Model::ResetMetrics() { impl_->results.clear(); }

}  // namespace fusebox
