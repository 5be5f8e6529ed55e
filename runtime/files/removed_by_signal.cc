// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/removed_by_signal.h"

#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstring>

namespace fusebox {
namespace {

// All that a handler touches: lock-free atomics.
struct DoomedFile {
  enum { kFree, kTaken, kArmed, kRemoved };
  std::atomic<int> state = kFree;
  char path[PATH_MAX] = {};
};
DoomedFile doomed[16];
static_assert(std::atomic<int>::is_always_lock_free);

}  // namespace

RemovedBySignal::RemovedBySignal(const std::string& path) {
  if (path.size() >= PATH_MAX) return;  // Then there is no such file.
  for (int i = 0; i < int(std::size(doomed)) && slot_ < 0; ++i) {
    int free = DoomedFile::kFree;
    if (doomed[i].state.compare_exchange_strong(free, DoomedFile::kTaken)) slot_ = i;
  }
  if (slot_ < 0) return;
  std::memcpy(doomed[slot_].path, path.c_str(), path.size() + 1);
  doomed[slot_].state.store(DoomedFile::kArmed);
}

RemovedBySignal::~RemovedBySignal() {
  int armed = DoomedFile::kArmed;
  // Where the handler has been faster the process is about to end.
  if (slot_ >= 0) doomed[slot_].state.compare_exchange_strong(armed, DoomedFile::kFree);
}

void RemoveFilesOnSignal() {
  for (DoomedFile& file : doomed) {
    int armed = DoomedFile::kArmed;
    if (file.state.compare_exchange_strong(armed, DoomedFile::kRemoved)) unlink(file.path);
  }
}

}  // namespace fusebox
