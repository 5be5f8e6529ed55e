// SPDX-License-Identifier: Apache-2.0
// fit/ trains: the run over epochs and steps, its callbacks, the order of samples, signals, single batches. It sees
// data/, files/, describe/, plugins/, programs/, execute/ and model/; the public face of runtime/ (Model::Fit,
// TrainOnBatch) sees it.
//
// A training run: one method for each thing that can happen, and a state that can be taken, copied and put back between
// any two of them.
//
//     Begin ─► BeginEpoch ─► Steps ... ─► Validate, where due ─► EndEpoch ─► BeginEpoch ... ─► Finish
//              └───────────────────────── RunEpoch ──────────────────────┘
//
// Model::Fit is the loop over it. What goes on with a training, or looks at it from outside, is built on the same
// methods.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/fit/callback_list.h"
#include "fusebox/runtime/fit/training_state.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/model/port_data.h"

namespace fusebox {

// Used by one thread at a time, as its model is. Between Start and Finish the model's weights may be read; all else
// that runs or changes the model has to wait.
class TrainingRun {
 public:
  // Checks all that can be wrong with a call of Fit, and compiles the programs. Errors: as Model::Fit's. The model and
  // the arrays have to stay as long as the run.
  static absl::StatusOr<std::unique_ptr<TrainingRun>> Start(Model& model, const Arrays& x, const Arrays& y,
                                                            FitArgs args);
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  // ---- What happens, in this order; each method tells the callbacks. Errors are those of callbacks. Calling one out
  // of order is a defect of the caller: Check.
  absl::Status Begin();
  // Puts the samples in order and zeroes losses and metrics.
  absl::Status BeginEpoch();
  // Runs at most `most` of the epoch's steps. Does fewer where the epoch ends, a signal arrives or a callback asks for
  // the end.
  absl::Status Steps(int64_t most = std::numeric_limits<int64_t>::max());
  // Whether the epoch's steps are done, or a callback has asked for the end.
  bool IsEpochDone() const { return position_.step >= EpochEnd() || callbacks_.stop(); }
  // Whether this epoch ends with a look at the validation data, which has not been taken yet.
  bool IsValidationDue() const;
  absl::Status Validate();
  // Writes the epoch into the history. Then comes the next epoch, or the end.
  absl::Status EndEpoch();
  // All of the next epoch, or what is left of the one at work.
  absl::Status RunEpoch();
  // Whether what comes next is Finish: all epochs are done, a callback has ended the training, or a signal has arrived.
  bool IsDone() const;
  // Puts moving averages into the weights, if the optimizer keeps them. The error is Cancelled after a signal.
  absl::StatusOr<History> Finish();

  // ---- The state, between any two of the above.
  // Error: what a callback's save_state says.
  absl::StatusOr<TrainingState> state() const;
  // Goes on from a state of this run, or of another run of the same model on the same samples. No hook is told: Begin,
  // if it was not called, has to be called first. Errors: a state of other samples, batches, variables or callbacks,
  // with what is expected and what the state has, or of a callback's load_state. Nothing but callbacks has changed
  // then.
  absl::Status Restore(const TrainingState& state);

  TrainingState::Phase phase() const { return phase_; }
  const TrainingPosition& position() const { return position_; }
  const History& history() const { return history_; }

 private:
  friend class TrainingSetup;
  using Phase = TrainingState::Phase;
  struct Validation {
    PortData data;
    BoundProgram* program;
    int64_t batch;
  };

  TrainingRun(Model::Impl& model, FitArgs args, CallbackList callbacks)
      : model_(model), args_(std::move(args)), callbacks_(std::move(callbacks)) {}

  int64_t EpochEnd() const;  // The step of the pass that the epoch ends before.
  void FillOrder();
  absl::Status RunSteps(int64_t last);
  void WarnIfCutShort();
  absl::Status CheckState(const TrainingState& state) const;

  Model::Impl& model_;
  FitArgs args_;
  CallbackList callbacks_;
  int64_t most_threads_ = 1;
  PortData data_;
  std::optional<Validation> validation_;
  BoundProgram* program_ = nullptr;
  std::vector<std::string> names_;            // Of what the program reports.
  std::vector<int32_t> order_;                // The program reads it.
  int64_t rows_ = 0, batch_ = 0, steps_ = 0;  // Of a pass.
  int64_t steps_per_epoch_ = 0;
  bool begun_ = false, interrupted_ = false, finished_ = false;
  CallbackList::Clock::time_point begin_;

  // What TrainingState holds: see there.
  Phase phase_ = Phase::kBetweenEpochs;
  TrainingPosition position_;
  int64_t seed_ = 0;
  Logs logs_;
  History history_;
  bool warned_ = false;
};

}  // namespace fusebox
