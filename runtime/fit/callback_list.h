// SPDX-License-Identifier: Apache-2.0
// The callbacks of one training run, and what they are told. Inside runtime/ only.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/history.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/fit/training_state.h"
#include "fusebox/runtime/plugins/objects.h"

namespace fusebox {

class CallbackList {
 public:
  static absl::StatusOr<CallbackList> Make(const std::vector<ItemSpec>& specs);

  bool Wants(uint32_t event_kind) const;
  bool terminal() const { return event_.terminal; }
  // Whether a callback has asked to end the training.
  bool stop() const { return event_.stop; }
  void SetStop(bool stop) { event_.stop = stop; }

  // Where the run is. An event's seconds count from StartClock.
  void StartClock() { start_ = Clock::now(); }
  void SetEpoch(int64_t epoch, int64_t epochs) { event_.epoch = epoch, event_.epochs = epochs; }
  void SetStep(int64_t step, int64_t steps) { event_.step = step, event_.steps = steps; }
  absl::Status Tell(uint32_t event_kind, const Logs& logs = {});
  // The same, with the seconds since `then`.
  using Clock = std::chrono::steady_clock;
  absl::Status TellSince(uint32_t event_kind, Clock::time_point then, const Logs& logs = {});

  // What each callback has to remember, in order.
  absl::StatusOr<std::vector<CallbackState>> SaveStates() const;
  // Gives each callback the state of its id; of several with one id the first, the second, ... Callbacks that have none
  // begin anew. Error: a state that is not empty and has no callback here; what a callback's load_state says.
  absl::Status LoadStates(const std::vector<CallbackState>& states);

 private:
  std::vector<CallbackObject> callbacks_;
  CallbackEvent event_;
  Clock::time_point start_;
};

}  // namespace fusebox
