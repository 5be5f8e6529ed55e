// SPDX-License-Identifier: Apache-2.0
// Ctrl-C. A program that wants it calls StopOnSignals() first; then SIGINT and SIGTERM end the training after the step at
// work, Fit, Evaluate and Predict return a Cancelled status, and nothing is left half-written.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

namespace fusebox {

// From now on the first SIGINT or SIGTERM only sets a flag; the second one ends the process at once, with 128 + signal,
// and takes files along that are RemovedBySignal.
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

// While one lives, a signal that ends the process at once removes the file of this path. To be made before the file is, as
// the signal may come at any instruction; a path without a file does no harm.
class RemovedBySignal {
 public:
  explicit RemovedBySignal(const std::string& path);
  ~RemovedBySignal();
  RemovedBySignal(const RemovedBySignal&) = delete;
  RemovedBySignal& operator=(const RemovedBySignal&) = delete;

 private:
  int slot_ = -1;
};

}  // namespace fusebox
