// SPDX-License-Identifier: Apache-2.0
// Where a training run is, as a value.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"
#include "fusebox/runtime/describe/history.h"

namespace fusebox {

// Which steps are done. A pass goes over all samples once; an epoch is a whole pass or, with steps_per_epoch, a part of
// one.
//
//     pass 0                        pass 1
//     0   1   2   3   4   5   6     0   1   2   ...          steps of a pass
//     [ epoch 0 ] [ epoch 1 ] [2]   [ epoch 3 ] ...          steps_per_epoch = 3
//                     ^
//                     epoch 1, pass 0, begin 3, step 4: one step of this epoch is done
struct TrainingPosition {
  int64_t epoch = 0;  // The one at work or, between two epochs, the next one.
  int64_t pass = 0;   // The one that the epoch is in: it decides on the order of the samples.
  int64_t begin = 0;  // The step of the pass that the epoch begins with.
  int64_t step = 0;   // The step of the pass that comes next.

  bool operator==(const TrainingPosition&) const = default;
};

// A callback and what its hook save_state has written.
struct CallbackState {
  std::string id;  // "fusebox/history@1"
  std::string bytes;

  bool operator==(const CallbackState&) const = default;
};

// All that the rest of a run depends on, besides the model's description, the data and the arguments of Fit: a run that
// goes on from here does the same steps on the same bits. Copies are cheap, as the tensors are not written to.
struct TrainingState {
  enum class Phase : uint8_t {
    kBetweenEpochs,  // Before the first epoch, too.
    kInEpoch,        // Some steps, or all, are done.
    kValidated,      // All steps are done, and the look at the validation data; the epoch's end comes next.
    kStopped,        // A callback has ended the training.
  };

  // What positions mean: a run with other numbers refuses the state.
  int64_t rows = 0, batch_size = 0, steps_per_epoch = 0;

  Phase phase = Phase::kBetweenEpochs;
  TrainingPosition position = {};
  int64_t seed = 0;  // Of shuffling, with the pass, and of random layers, with the variable "step".
  // Weights, the optimizer's slots and numbers, counters; and the sums behind losses and metrics of the epoch so far.
  std::vector<NamedTensor> variables = {}, accumulators = {};
  Logs logs = {};     // Of the epoch at work; from kValidated on the validation's too.
  Logs results = {};  // What GetMetricsResult gives.
  History history = {};
  std::vector<CallbackState> callbacks = {};
  bool stop = false;    // A callback has asked for the end after this step.
  bool warned = false;  // The user was told that an epoch was cut short.
};

// The state as bytes, and back: the same bits, NaNs included. Errors begin with `who` and say what is damaged where.
std::string TrainingStateBytes(const TrainingState& state);
absl::StatusOr<TrainingState> ParseTrainingState(std::string_view bytes, const std::string& who);

}  // namespace fusebox
