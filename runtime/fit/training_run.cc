// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/training_run.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/warning.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/fit/evaluate.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "fusebox/runtime/fit/shuffle.h"
#include "fusebox/runtime/fit/yield_timer.h"

namespace fusebox {
namespace {

bool IsValidated(const ValidationFreq& freq, int64_t epoch) {
  if (freq.epochs.empty()) return (epoch + 1) % freq.every == 0;
  return std::ranges::find(freq.epochs, epoch + 1) != freq.epochs.end();
}

}  // namespace

absl::Status TrainingRun::Begin() {
  Check(!begun_, "a training run begins twice");
  begun_ = true;
  begin_ = CallbackList::Clock::now();
  callbacks_.SetEpoch(position_.epoch, args_.epochs);
  return callbacks_.Tell(FB_TRAIN_BEGIN);
}

int64_t TrainingRun::EpochEnd() const { return std::min(position_.begin + steps_per_epoch_, steps_); }

bool TrainingRun::IsDone() const {
  return interrupted_ || phase_ == Phase::kStopped || position_.epoch >= args_.epochs || SignalArrived() != 0;
}

void TrainingRun::FillOrder() {
  if (args_.shuffle) {
    FillShuffled(order_, seed_, position_.pass);
  } else {
    FillInOrder(order_);
  }
}

absl::Status TrainingRun::BeginEpoch() {
  Check(begun_ && phase_ == Phase::kBetweenEpochs, "an epoch begins within another one");
  phase_ = Phase::kInEpoch;
  logs_.clear();
  callbacks_.SetEpoch(position_.epoch, args_.epochs);
  callbacks_.SetStep(0, EpochEnd() - position_.begin);
  callbacks_.StartClock();
  if (args_.shuffle && position_.begin == 0) FillOrder();
  program_->ResetAccumulators();
  return callbacks_.Tell(FB_EPOCH_BEGIN);
}

absl::Status TrainingRun::Steps(int64_t most) {
  Check(phase_ == Phase::kInEpoch, "steps outside of an epoch");
  const int64_t first = position_.step, left = EpochEnd() - first;
  FUSEBOX_RETURN_IF_ERROR(RunSteps(first + std::min(most, left)));
  interrupted_ = SignalArrived() != 0;
  // A run that goes on where all steps were done has the logs from its state.
  const bool news = position_.step > first || logs_.empty();
  if (!interrupted_ && news) model_.results = logs_ = ReadLogs(*program_, names_);
  return absl::OkStatus();
}

// Allocates nothing but what callbacks need.
absl::Status TrainingRun::RunSteps(int64_t last) {
  const bool tells_batches = callbacks_.Wants(FB_BATCH_BEGIN) || callbacks_.Wants(FB_BATCH_END);
  const bool draws = callbacks_.terminal() && callbacks_.Wants(FB_TICK);
  const int64_t threads = program_->Threads(args_.threads, most_threads_);
  const int64_t begin = position_.begin, steps = EpochEnd() - begin;
  int64_t& step = position_.step;
  std::atomic<uint32_t> yield = 0;
  const SignalSets signals(yield);
  KeepWorkOnSignals(true);
  const YieldTimer timer(yield, draws);
  callbacks_.SetStep(step - begin, steps);
  while (step < last && SignalArrived() == 0 && !callbacks_.stop()) {
    if (tells_batches) FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_BATCH_BEGIN));
    const int64_t before = step;
    step = program_->Run(threads, step, tells_batches ? step + 1 : last, batch_, rows_, &yield);
    ++history_.calls;
    history_.steps += step - before;
    callbacks_.SetStep(step - begin, steps);
    if (tells_batches) FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_BATCH_END, ReadLogs(*program_, names_)));
    // A signal that sets the word after this still shows in SignalArrived().
    const bool yielded = yield.exchange(0) != 0;
    if (yielded && draws && step < last) {
      FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_TICK, ReadLogs(*program_, names_)));
    }
  }
  return absl::OkStatus();
}

bool TrainingRun::IsValidationDue() const {
  return validation_ && phase_ == Phase::kInEpoch && IsValidated(args_.validation_freq, position_.epoch);
}

absl::Status TrainingRun::Validate() {
  Check(validation_ && phase_ == Phase::kInEpoch, "a validation outside of an epoch, or without data");
  FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_TEST_BEGIN));
  const absl::StatusOr<Logs> validated =
      EvaluateChecked(*validation_->program, model_.config, validation_->data, validation_->batch,
                      args_.validation_steps, validation_->program->Threads(args_.threads, most_threads_));
  if (!validated.ok()) {  // It was interrupted: there is no other way.
    interrupted_ = true;
    return absl::OkStatus();
  }
  model_.results = *validated;
  for (const LogValue& log : *validated) logs_.push_back({"val_" + log.name, log.value});
  phase_ = Phase::kValidated;
  return callbacks_.Tell(FB_TEST_END, *validated);
}

absl::Status TrainingRun::EndEpoch() {
  Check(phase_ == Phase::kInEpoch || phase_ == Phase::kValidated, "an epoch ends that has not begun");
  history_.Append(position_.epoch, logs_);
  FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_EPOCH_END, logs_));
  WarnIfCutShort();
  phase_ = Phase::kBetweenEpochs;
  // The next epoch goes on where this one ended; a new pass begins where the samples ran out.
  TrainingPosition next = {position_.epoch + 1, position_.pass, EpochEnd(), EpochEnd()};
  if (next.begin == steps_) next = {next.epoch, position_.pass + 1, 0, 0};
  position_ = next;
  if (callbacks_.stop()) {
    phase_ = Phase::kStopped;
    history_.stopped = position_.epoch < args_.epochs;
  }
  return absl::OkStatus();
}

void TrainingRun::WarnIfCutShort() {
  const int64_t steps = EpochEnd() - position_.begin;
  if (steps == steps_per_epoch_ || args_.verbose == 0 || std::exchange(warned_, true)) return;
  PrintError(fmt::format("fusebox: epoch {} has {} steps of the steps_per_epoch, {}: the samples ran out",
                         position_.epoch + 1, steps, steps_per_epoch_));
}

absl::Status TrainingRun::RunEpoch() {
  if (phase_ == Phase::kBetweenEpochs) FUSEBOX_RETURN_IF_ERROR(BeginEpoch());
  if (phase_ == Phase::kInEpoch) FUSEBOX_RETURN_IF_ERROR(Steps());
  if (interrupted_) return absl::OkStatus();
  if (IsValidationDue()) FUSEBOX_RETURN_IF_ERROR(Validate());
  if (interrupted_) return absl::OkStatus();
  return EndEpoch();
}

absl::StatusOr<History> TrainingRun::Finish() {
  Check(begun_ && !finished_, "a training run ends that has not begun, or twice");
  finished_ = true;
  FUSEBOX_RETURN_IF_ERROR(model_.TakeAverages());
  const bool interrupted = SignalArrived() != 0;
  if (interrupted) FUSEBOX_RETURN_IF_ERROR(callbacks_.Tell(FB_INTERRUPTED));
  FUSEBOX_RETURN_IF_ERROR(callbacks_.TellSince(FB_TRAIN_END, begin_));
  if (interrupted) return Interrupted();
  return history_;
}

// ---- The state.

absl::StatusOr<TrainingState> TrainingRun::state() const {
  TrainingState state = {.rows = rows_,
                         .batch_size = batch_,
                         .steps_per_epoch = steps_per_epoch_,
                         .phase = phase_,
                         .position = position_,
                         .seed = seed_,
                         .logs = logs_,
                         .results = model_.results,
                         .history = history_,
                         .stop = callbacks_.stop(),
                         .warned = warned_};
  for (const Variable& variable : model_.variables.all()) {
    if (!variable.value.empty()) state.variables.push_back({variable.name, variable.value.Clone()});
  }
  for (const NamedTensor& sum : program_->accumulators()) state.accumulators.push_back({sum.name, sum.value.Clone()});
  FUSEBOX_ASSIGN_OR_RETURN(state.callbacks, callbacks_.SaveStates());
  return state;
}

namespace {

std::string Describe(const Tensor& tensor) {
  return ToString(Type{tensor.dtype(), {tensor.shape().begin(), tensor.shape().end()}});
}

// Whether each tensor of the state has its place among those of the run, and the other way round.
absl::Status CheckTensors(const std::vector<NamedTensor>& wanted, const std::vector<NamedTensor>& got,
                          std::string_view what) {
  for (const NamedTensor& want : wanted) {
    const auto found = std::ranges::find(got, want.name, &NamedTensor::name);
    if (found == got.end()) return Refuse("training state: {} '{}' is missing", what, want.name);
    if (Describe(found->value) != Describe(want.value)) {
      return Refuse("training state: {} '{}': expected {}, got {}", what, want.name, Describe(want.value),
                    Describe(found->value));
    }
  }
  for (const NamedTensor& have : got) {
    if (std::ranges::find(wanted, have.name, &NamedTensor::name) == wanted.end()) {
      return Refuse("training state: this run has no {} '{}'", what, have.name);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TrainingRun::CheckState(const TrainingState& state) const {
  const auto check = [](const char* what, int64_t expected, int64_t got) {
    return expected == got ? absl::OkStatus() : Refuse("training state: {}: expected {}, got {}", what, expected, got);
  };
  FUSEBOX_RETURN_IF_ERROR(check("samples", rows_, state.rows));
  FUSEBOX_RETURN_IF_ERROR(check("batch_size", batch_, state.batch_size));
  FUSEBOX_RETURN_IF_ERROR(check("steps_per_epoch", steps_per_epoch_, state.steps_per_epoch));
  const TrainingPosition& at = state.position;
  if (at.epoch < 0 || at.pass < 0 || at.begin < 0 || at.begin >= steps_ || at.step < at.begin ||
      at.step > std::min(at.begin + steps_per_epoch_, steps_)) {
    return Refuse("training state: step {} of an epoch that begins with step {} is none of a pass of {} steps", at.step,
                  at.begin, steps_);
  }
  std::vector<NamedTensor> variables;
  for (const Variable& variable : model_.variables.all()) {
    if (!variable.value.empty()) variables.push_back({variable.name, variable.value});
  }
  FUSEBOX_RETURN_IF_ERROR(CheckTensors(variables, state.variables, "variable"));
  return CheckTensors(program_->accumulators(), state.accumulators, "accumulator");
}

absl::Status TrainingRun::Restore(const TrainingState& state) {
  Check(begun_ && !finished_, "a state is put into a run that has not begun, or has ended");
  FUSEBOX_RETURN_IF_ERROR(CheckState(state));
  FUSEBOX_RETURN_IF_ERROR(callbacks_.LoadStates(state.callbacks));
  for (const NamedTensor& variable : state.variables) {
    FUSEBOX_RETURN_IF_ERROR(model_.variables.Set(variable.name, variable.value));
  }
  for (const NamedTensor& sum : state.accumulators) program_->SetAccumulator(sum.name, sum.value);
  phase_ = state.phase;
  position_ = state.position;
  seed_ = state.seed;
  logs_ = state.logs;
  model_.results = state.results;
  history_ = state.history;
  warned_ = state.warned;
  interrupted_ = false;
  callbacks_.SetStop(state.stop);
  callbacks_.SetEpoch(position_.epoch, args_.epochs);
  callbacks_.SetStep(position_.step - position_.begin, EpochEnd() - position_.begin);
  callbacks_.StartClock();
  FillOrder();
  return absl::OkStatus();
}

}  // namespace fusebox
