// SPDX-License-Identifier: Apache-2.0
// Ctrl-C. After a program has called StopOnSignals(), SIGINT and SIGTERM end the training after the current step: Fit,
// Evaluate and Predict return a Cancelled status, and no file is left half-written.
#pragma once
#include <atomic>
#include <cstdint>

namespace fusebox {

// Installs handlers. The first SIGINT or SIGTERM only sets a flag; the second one removes the files of RemovedBySignal
// (runtime/files/removed_by_signal.h) and ends the process at once, with exit status 128 + signal.
void StopOnSignals();

// The signal that has arrived, or 0.
int SignalArrived();

// While an object of this class lives, an arriving signal sets the word to 1. The compiled program polls it once a
// step.
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
