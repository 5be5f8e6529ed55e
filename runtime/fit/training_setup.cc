// SPDX-License-Identifier: Apache-2.0
// What comes before the first step: all that can be wrong with a call of Fit is found here, and the programs are
// compiled.
#include <algorithm>
#include <cmath>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/execute/thread_pool.h"
#include "fusebox/runtime/fit/evaluate.h"
#include "fusebox/runtime/fit/shuffle.h"
#include "fusebox/runtime/fit/training_run.h"

namespace fusebox {
namespace {

absl::Status CheckArgs(const FitArgs& args) {
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("epochs", args.epochs));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("batch_size", args.batch_size));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("steps_per_epoch", args.steps_per_epoch));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("validation_steps", args.validation_steps));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("validation_batch_size", args.validation_batch_size));
  if (args.validation_freq.epochs.empty())
    FUSEBOX_RETURN_IF_ERROR(CheckPositive("validation_freq", args.validation_freq.every));
  for (const int64_t epoch : args.validation_freq.epochs) {
    if (epoch < 1) return Refuse("validation_freq: expected epochs, counted from 1, got {}", epoch);
  }
  if (args.initial_epoch < 0) return Refuse("initial_epoch: expected 0 or more, got {}", args.initial_epoch);
  if (!(args.validation_split >= 0 && args.validation_split < 1)) {
    return Refuse("validation_split: expected a number from 0 to below 1, got {}", args.validation_split);
  }
  if (args.verbose < 0 || args.verbose > 2) return Refuse("verbose: expected 0, 1 or 2, got {}", args.verbose);
  return absl::OkStatus();
}

absl::Status CheckCompiled(const Model::Impl& model) {
  if (model.config.compile) return CheckUsable(ProgramKind::kTraining, model.config);
  return absl::FailedPreconditionError(
      fmt::format("model '{}' is not compiled: call Compile first", model.config.name));
}

// Takes the last part of the data away for validation, as Keras does: before any shuffling.
absl::StatusOr<PortData> SplitOff(PortData& data, double fraction) {
  const int64_t rows = data.rows();
  const int64_t kept = int64_t(std::floor(double(rows) * (1 - fraction)));
  if (kept == 0 || kept == rows) {
    return Refuse("validation_split: {} of {} samples leaves {} to train and {} to validate", fraction, rows, kept,
                  rows - kept);
  }
  PortData validation = data.Rows(kept, rows);
  data = data.Rows(0, kept);
  return validation;
}

// The callbacks of a run, the progress bar first.
absl::StatusOr<CallbackList> MakeCallbacks(FitArgs& args) {
  std::vector<ItemSpec> specs;
  if (args.verbose > 0) specs.push_back({"fusebox/progress", {{"verbose", args.verbose}}});
  for (ItemArg& callback : args.callbacks) {
    FUSEBOX_RETURN_IF_ERROR(callback.spec.status());
    specs.push_back(*std::move(callback.spec));
  }
  return CallbackList::Make(specs);
}

}  // namespace

// Makes a TrainingRun from the arguments of Fit.
class TrainingSetup {
 public:
  TrainingSetup(Model& model, const Arrays& x, FitArgs args)
      : model_(model), impl_(*model.impl_), x_(x), args_(std::move(args)) {}

  absl::StatusOr<std::unique_ptr<TrainingRun>> Make(const Arrays& y) {
    FUSEBOX_RETURN_IF_ERROR(TakeArrays(y));
    const int64_t rows = training_.rows();
    if (rows == 0) return Refuse("x has no samples");
    if (rows > INT32_MAX) return Refuse("x has {} samples, expected {} or fewer", rows, INT32_MAX);
    FUSEBOX_ASSIGN_OR_RETURN(CallbackList callbacks, MakeCallbacks(args_));
    // Not make_unique: the constructor is private.
    std::unique_ptr<TrainingRun> run(new TrainingRun(impl_, std::move(args_), std::move(callbacks)));
    run->most_threads_ = most_threads_;
    FUSEBOX_RETURN_IF_ERROR(Compile(*run));
    Prepare(*run);
    return run;
  }

 private:
  absl::Status TakeArrays(const Arrays& y) {
    FUSEBOX_RETURN_IF_ERROR(impl_.status);
    if (!impl_.form->CompilesLater()) FUSEBOX_RETURN_IF_ERROR(CheckCompiled(impl_));
    FUSEBOX_RETURN_IF_ERROR(CheckArgs(args_));
    FUSEBOX_ASSIGN_OR_RETURN(most_threads_, ThreadsFor(args_.threads));
    FUSEBOX_RETURN_IF_ERROR(model_.Settle(x_));
    FUSEBOX_RETURN_IF_ERROR(CheckCompiled(impl_));
    FUSEBOX_ASSIGN_OR_RETURN(training_, TakeData(impl_, x_, y, ""));
    FUSEBOX_RETURN_IF_ERROR(TakeWeights(impl_, args_.sample_weight, args_.class_weight, training_));
    if (args_.validation_data) return TakeValidationData(*args_.validation_data);
    if (args_.validation_split == 0) return absl::OkStatus();
    FUSEBOX_ASSIGN_OR_RETURN(validation_, SplitOff(training_, args_.validation_split));
    if (!args_.class_weight.empty()) validation_->weights.clear();  // Those are of the training alone.
    return absl::OkStatus();
  }

  absl::Status TakeValidationData(const DataArg& data) {
    FUSEBOX_RETURN_IF_ERROR(model_.Settle(data.x));  // A class may be traced for other shapes.
    FUSEBOX_ASSIGN_OR_RETURN(validation_, TakeData(impl_, data.x, data.y, "validation data: "));
    if (validation_->rows() == 0) return Refuse("validation data: x has no samples");
    const absl::Status weights = TakeWeights(impl_, data.sample_weight, {}, *validation_);
    return weights.ok() ? weights : Refuse("validation data: {}", Message(weights));
  }

  // Programs for these batches.
  absl::Status Compile(TrainingRun& run) {
    const FitArgs& args = run.args_;
    const int64_t rows = training_.rows();
    run.batch_ = std::min(BatchSizeFor(args.batch_size, args.steps_per_epoch, rows), rows);
    // Drops all programs if other layers are to be trained than before, so it comes before any is compiled.
    impl_.SettleOptimizer();
    if (validation_) {
      const int64_t batch = BatchSizeFor(args.validation_batch_size ? args.validation_batch_size : args.batch_size,
                                         args.validation_steps, validation_->rows());
      FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program,
                               impl_.Compiled(ProgramKind::kEvaluation, validation_->Types(), batch, args.target_cpu));
      run.validation_ = {.data = *std::move(validation_), .program = program, .batch = batch};
    }
    FUSEBOX_RETURN_IF_ERROR(model_.Settle(x_));
    FUSEBOX_ASSIGN_OR_RETURN(run.program_,
                             impl_.Compiled(ProgramKind::kTraining, training_.Types(), run.batch_, args.target_cpu));
    return absl::OkStatus();
  }

  // Before the first step.
  void Prepare(TrainingRun& run) {
    run.data_ = std::move(training_);
    run.rows_ = run.data_.rows();
    run.steps_ = StepsFor(run.rows_, run.batch_);
    run.steps_per_epoch_ = run.args_.steps_per_epoch.value_or(run.steps_);
    run.position_ = {.epoch = run.args_.initial_epoch, .pass = run.args_.initial_epoch};
    run.seed_ = run.args_.seed.value_or(impl_.seed);
    run.names_ = LogNames(impl_.ConfigFor(ProgramKind::kTraining));
    impl_.variables.SetInteger("seed", run.seed_);
    run.order_.resize(size_t(run.rows_));
    FillInOrder(run.order_);
    run.program_->Bind(Port::Kind::kInput, "order", run.order_.data());
    BindData(*run.program_, impl_.config, Port::Kind::kRows, run.data_);
  }

  Model& model_;
  Model::Impl& impl_;
  const Arrays& x_;
  FitArgs args_;
  int64_t most_threads_ = 1;
  PortData training_;
  std::optional<PortData> validation_;
};

absl::StatusOr<std::unique_ptr<TrainingRun>> TrainingRun::Start(Model& model, const Arrays& x, const Arrays& y,
                                                                FitArgs args) {
  return TrainingSetup(model, x, std::move(args)).Make(y);
}

}  // namespace fusebox
