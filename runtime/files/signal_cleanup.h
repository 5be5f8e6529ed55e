// SPDX-License-Identifier: Apache-2.0
// What is cleaned up when a signal ends the process at once: temporary files and helper processes.
#pragma once
#include <sys/types.h>

#include <string>

namespace fusebox {

// While one lives, a signal that ends the process at once removes the file of this path. Create it
// before the file, as the signal may come at any instruction; a path without a file does no harm.
class RemovedBySignal {
 public:
  explicit RemovedBySignal(const std::string& path);
  ~RemovedBySignal();
  RemovedBySignal(const RemovedBySignal&) = delete;
  RemovedBySignal& operator=(const RemovedBySignal&) = delete;

 private:
  int slot_ = -1;
};

// While one lives, a signal that ends the process at once kills the process group that this child leads. End it before
// the child is waited for: afterwards its number may be another's.
class KilledBySignal {
 public:
  explicit KilledBySignal(pid_t leader);
  ~KilledBySignal();
  KilledBySignal(const KilledBySignal&) = delete;
  KilledBySignal& operator=(const KilledBySignal&) = delete;

 private:
  int slot_ = -1;
};

// Removes the files of all RemovedBySignal and kills the processes of all KilledBySignal that live. For signal
// handlers: async-signal-safe.
void CleanUpOnSignal();

}  // namespace fusebox
