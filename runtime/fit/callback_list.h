// SPDX-License-Identifier: Apache-2.0
// The callbacks of one run, and what they see of it. Inside runtime/ only.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/history.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/plugins/objects.h"

namespace fusebox {

class CallbackList {
 public:
  static absl::StatusOr<CallbackList> Make(const std::vector<ItemSpec>& specs);

  bool Wants(uint32_t event_kind) const;
  bool terminal() const { return event_.terminal; }
  // Whether one of them has asked for the end of the training.
  bool stop() const { return event_.stop; }

  // Where the run is; seconds count from StartClock on.
  void StartClock() { start_ = Clock::now(); }
  void SetEpoch(int64_t epoch, int64_t epochs) { event_.epoch = epoch, event_.epochs = epochs; }
  void SetStep(int64_t step, int64_t steps) { event_.step = step, event_.steps = steps; }
  absl::Status Tell(uint32_t event_kind, const Logs& logs = {});
  // The same, with the time since then.
  using Clock = std::chrono::steady_clock;
  absl::Status TellSince(uint32_t event_kind, Clock::time_point then, const Logs& logs = {});

 private:
  std::vector<CallbackObject> callbacks_;
  CallbackEvent event_;
  Clock::time_point start_;
};

}  // namespace fusebox
