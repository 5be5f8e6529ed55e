// SPDX-License-Identifier: Apache-2.0
// Ctrl-C. After a program has called StopOnSignals(), SIGINT and SIGTERM end the training after the current step: Fit,
// Evaluate and Predict return a Cancelled status, and no file is left half-written. What else the program does ends at
// once.
#pragma once
#include <atomic>
#include <cstdint>

namespace fusebox {

// Installs handlers, except for a signal that is ignored. A signal that finds nothing to finish ends the process at once,
// with exit status 128 + signal, after temporary files are removed and helper processes killed. There is something to
// finish while Fit, Evaluate or Predict run a step, and from the first training step on, until KeepWorkOnSignals(false):
// then the first signal only sets a flag, and the second one ends the process. Where the first ends it, `prefix`, if it
// is given, and "interrupted by SIGINT" are written to stderr. `prefix` is kept, not copied.
void StopOnSignals(const char* prefix = nullptr);

// Says whether there is a trained model that a signal should not lose. Fit says yes at its first step. Say no once the
// model is saved.
void KeepWorkOnSignals(bool keep);

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
