// SPDX-License-Identifier: Apache-2.0
// Ctrl-C. A program that wants it calls StopOnSignals() first; then SIGINT and SIGTERM end the training after the step at
// work, Fit, Evaluate and Predict return a Cancelled status, and nothing is left half-written.
#pragma once
#include <atomic>
#include <cstdint>

namespace fusebox {

// From now on the first SIGINT or SIGTERM only sets a flag; the second one ends the process at once, with 128 + signal,
// and takes files along that are RemovedBySignal (runtime/files/removed_by_signal.h).
void StopOnSignals();

// The signal that has arrived, or 0.
int SignalArrived();

// While one lives, an arriving signal sets the word to 1: the compiled program polls it once a step.
class SignalSets {
 public:
  explicit SignalSets(std::atomic<uint32_t>& word);
  ~SignalSets();
  SignalSets(const SignalSets&) = delete;
  SignalSets& operator=(const SignalSets&) = delete;

 private:
  int slot_ = -1;
};

}  // namespace fusebox
