// SPDX-License-Identifier: Apache-2.0
// Training and evaluation: what happens around the compiled programs.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/fit/callback_list.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "fusebox/runtime/fit/shuffle.h"
#include "fusebox/runtime/fit/yield_timer.h"
#include "fusebox/runtime/model/model_state.h"

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

bool IsValidated(const ValidationFreq& freq, int64_t epoch) {
  if (freq.epochs.empty()) return (epoch + 1) % freq.every == 0;
  return std::ranges::find(freq.epochs, epoch + 1) != freq.epochs.end();
}

// Which steps an epoch does: each its share of a pass over all samples, where the one before ended.
class Passes {
 public:
  Passes(int64_t steps, int64_t steps_per_epoch, int64_t first_epoch)
      : steps_(steps), steps_per_epoch_(steps_per_epoch), pass_(first_epoch) {}

  int64_t begin() const { return begin_; }
  int64_t end() const { return std::min(begin_ + steps_per_epoch_, steps_); }
  bool IsCutShort() const { return end() - begin_ < steps_per_epoch_; }
  int64_t pass() const { return pass_; }  // The number of the pass; that of the epoch, if each is a whole one.
  void Next() {
    begin_ = end();
    if (begin_ < steps_) return;
    begin_ = 0;
    ++pass_;
  }

 private:
  int64_t steps_, steps_per_epoch_, pass_;
  int64_t begin_ = 0;
};

// The steps of one epoch after the other. Nothing here allocates but what callbacks make necessary.
class EpochLoop {
 public:
  EpochLoop(BoundProgram& program, CallbackList& callbacks, const std::vector<std::string>& names, History& history)
      : program_(program),
        callbacks_(callbacks),
        names_(names),
        history_(history),
        tells_batches_(callbacks.Wants(FB_BATCH_BEGIN) || callbacks.Wants(FB_BATCH_END)) {}

  // Whether it was interrupted is for SignalArrived to say.
  absl::Status Run(int64_t threads, int64_t first, int64_t last, int64_t batch, int64_t rows) {
    const int64_t steps = last - first;
    const bool draws = callbacks_.terminal() && callbacks_.Wants(FB_TICK);
    std::atomic<uint32_t> yield = 0;
    const SignalSets signals(yield);
    const YieldTimer timer(yield, draws);
    program_.ResetAccumulators();
    callbacks_.SetStep(0, steps);
    for (int64_t step = first; step < last && SignalArrived() == 0 && !callbacks_.stop();) {
      if (tells_batches_) FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_BATCH_BEGIN));
      const int64_t before = step;
      step = program_.Run(threads, step, tells_batches_ ? step + 1 : last, batch, rows, &yield);
      ++history_.calls;
      history_.steps += step - before;
      callbacks_.SetStep(step - first, steps);
      if (tells_batches_) FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_BATCH_END, ReadLogs(program_, names_)));
      // A signal that sets the word after this still shows in SignalArrived().
      const bool yielded = yield.exchange(0) != 0;
      if (yielded && draws && step < last) {
        FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_TICK, ReadLogs(program_, names_)));
      }
    }
    return absl::OkStatus();
  }

 private:
  BoundProgram& program_;
  CallbackList& callbacks_;
  const std::vector<std::string>& names_;  // Of what the program reports.
  History& history_;
  const bool tells_batches_;
};

}  // namespace

absl::Status Interrupted() {
  return absl::CancelledError(fmt::format("interrupted by {}", SignalArrived() == SIGTERM ? "SIGTERM" : "SIGINT"));
}

Logs ReadLogs(const BoundProgram& program, const std::vector<std::string>& names) {
  Logs logs;
  for (const std::string& name : names) logs.push_back({name, program.ScalarOutput(name)});
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

absl::StatusOr<History> Model::Fit(const Arrays& x, const Arrays& y, FitArgs args) {
  Impl& model = *impl_;
  // ---- Whatever can be wrong is found before the first step.
  FUSEBOX_RETURN_IF_ERROR(model.status);
  const auto is_compiled = [&]() -> absl::Status {
    if (model.config.compile) return absl::OkStatus();
    return absl::FailedPreconditionError(
        fmt::format("model '{}' is not compiled: call Compile first", model.config.name));
  };
  if (!model.config.IsSubclass()) FUSEBOX_RETURN_IF_ERROR(is_compiled());
  FUSEBOX_RETURN_IF_ERROR(CheckArgs(args));
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t most_threads, ThreadsFor(args.threads));
  FUSEBOX_RETURN_IF_ERROR(Settle(x));
  FUSEBOX_RETURN_IF_ERROR(is_compiled());
  FUSEBOX_ASSIGN_OR_RETURN(PortData data, model.TakeData(x, y, ""));
  FUSEBOX_RETURN_IF_ERROR(model.TakeWeights(args.sample_weight, args.class_weight, data));
  std::optional<PortData> validation;
  if (args.validation_data) {
    FUSEBOX_RETURN_IF_ERROR(Settle(args.validation_data->x));  // A class may be traced for other shapes.
    FUSEBOX_ASSIGN_OR_RETURN(validation,
                             model.TakeData(args.validation_data->x, args.validation_data->y, "validation data: "));
    if (validation->rows() == 0) return Refuse("validation data: x has no samples");
    const absl::Status weights = model.TakeWeights(args.validation_data->sample_weight, {}, *validation);
    if (!weights.ok()) return Refuse("validation data: {}", Message(weights));
  } else if (args.validation_split > 0) {
    FUSEBOX_ASSIGN_OR_RETURN(validation, SplitOff(data, args.validation_split));
    if (!args.class_weight.empty()) validation->weights.clear();  // Those are of the training alone.
  }
  const int64_t rows = data.rows();
  if (rows == 0) return Refuse("x has no samples");
  if (rows > INT32_MAX) return Refuse("x has {} samples, expected {} or fewer", rows, INT32_MAX);

  std::vector<ItemSpec> specs;
  if (args.verbose > 0) specs.push_back({"fusebox/progress", {{"verbose", args.verbose}}});
  for (ItemArg& callback : args.callbacks) {
    FUSEBOX_RETURN_IF_ERROR(callback.spec.status());
    specs.push_back(*std::move(callback.spec));
  }
  FUSEBOX_ASSIGN_OR_RETURN(CallbackList callbacks, CallbackList::Make(specs));

  // ---- Programs, compiled for these batches.
  const int64_t batch = std::min(BatchSizeFor(args.batch_size, args.steps_per_epoch, rows), rows);
  const int64_t seed = args.seed.value_or(model.seed);
  BoundProgram* evaluation = nullptr;
  int64_t validation_batch = 0;
  if (validation) {
    validation_batch = BatchSizeFor(args.validation_batch_size ? args.validation_batch_size : args.batch_size,
                                    args.validation_steps, validation->rows());
    FUSEBOX_ASSIGN_OR_RETURN(
        evaluation, model.Compiled(ProgramKind::kEvaluation, validation->Types(), validation_batch, args.target_cpu));
  }
  FUSEBOX_RETURN_IF_ERROR(Settle(x));
  FUSEBOX_ASSIGN_OR_RETURN(BoundProgram* const program,
                           model.Compiled(ProgramKind::kTraining, data.Types(), batch, args.target_cpu));
  model.variables.SetInteger("seed", seed);
  std::vector<int32_t> order(size_t(rows), 0);
  FillInOrder(order);
  program->Bind(Port::Kind::kInput, "order", order.data());
  BindData(*program, model.config, Port::Kind::kRows, data);

  // ---- The run.
  History history;
  const std::vector<std::string> names = LogNames(model.ConfigFor(ProgramKind::kTraining));
  EpochLoop loop(*program, callbacks, names, history);
  const CallbackList::Clock::time_point begin = CallbackList::Clock::now();
  const int64_t last = args.epochs, steps = StepsFor(rows, batch);
  Passes passes(steps, args.steps_per_epoch.value_or(steps), args.initial_epoch);
  bool has_warned = false;
  callbacks.SetEpoch(args.initial_epoch, last);
  FUSEBOX_RETURN_IF_ERROR(callbacks.Tell(FB_TRAIN_BEGIN));
  for (int64_t epoch = args.initial_epoch; epoch < last && SignalArrived() == 0; ++epoch) {
    callbacks.SetEpoch(epoch, last);
    callbacks.SetStep(0, passes.end() - passes.begin());
    callbacks.StartClock();
    if (args.shuffle && passes.begin() == 0) FillShuffled(order, seed, passes.pass());
    FUSEBOX_RETURN_IF_ERROR(callbacks.Tell(FB_EPOCH_BEGIN));
    FUSEBOX_RETURN_IF_ERROR(
        loop.Run(program->Threads(args.threads, most_threads), passes.begin(), passes.end(), batch, rows));
    if (SignalArrived() != 0) break;
    Logs logs = ReadLogs(*program, names);
    model.results = logs;
    if (validation && IsValidated(args.validation_freq, epoch)) {
      FUSEBOX_RETURN_IF_ERROR(callbacks.Tell(FB_TEST_BEGIN));
      const absl::StatusOr<Logs> validated =
          EvaluateChecked(*evaluation, model.config, *validation, validation_batch, args.validation_steps,
                          evaluation->Threads(args.threads, most_threads));
      if (!validated.ok()) break;  // It was interrupted: there is no other way.
      model.results = *validated;
      for (const LogValue& log : *validated) logs.push_back({"val_" + log.name, log.value});
      FUSEBOX_RETURN_IF_ERROR(callbacks.Tell(FB_TEST_END, *validated));
    }
    history.Append(epoch, logs);
    FUSEBOX_RETURN_IF_ERROR(callbacks.Tell(FB_EPOCH_END, logs));
    if (passes.IsCutShort() && args.verbose > 0 && !std::exchange(has_warned, true)) {
      fmt::print(stderr, "fusebox: epoch {} has {} steps of the steps_per_epoch, {}: the samples ran out\n", epoch + 1,
                 passes.end() - passes.begin(), *args.steps_per_epoch);
    }
    passes.Next();
    if (callbacks.stop()) {
      history.stopped = epoch + 1 < last;
      break;
    }
  }
  FUSEBOX_RETURN_IF_ERROR(model.TakeAverages());
  const bool interrupted = SignalArrived() != 0;
  if (interrupted) FUSEBOX_RETURN_IF_ERROR(callbacks.Tell(FB_INTERRUPTED));
  FUSEBOX_RETURN_IF_ERROR(callbacks.TellSince(FB_TRAIN_END, begin));
  if (interrupted) return Interrupted();
  return history;
}

}  // namespace fusebox
