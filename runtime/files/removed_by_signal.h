// SPDX-License-Identifier: Apache-2.0
// Temporary files that are removed when a signal ends the process at once.
#pragma once
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

// Removes the files of all RemovedBySignal that live. For signal handlers: async-signal-safe.
void RemoveFilesOnSignal();

}  // namespace fusebox
