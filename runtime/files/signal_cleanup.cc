// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/signal_cleanup.h"

#include <signal.h>
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
std::atomic<pid_t> leaders[16] = {};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

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

KilledBySignal::KilledBySignal(pid_t leader) {
  for (int i = 0; i < int(std::size(leaders)) && slot_ < 0; ++i) {
    pid_t none = 0;
    if (leaders[i].compare_exchange_strong(none, leader)) slot_ = i;
  }
}

KilledBySignal::~KilledBySignal() {
  if (slot_ >= 0) leaders[slot_].store(0);
}

void CleanUpOnSignal() {
  for (DoomedFile& file : doomed) {
    int armed = DoomedFile::kArmed;
    if (file.state.compare_exchange_strong(armed, DoomedFile::kRemoved)) unlink(file.path);
  }
  for (std::atomic<pid_t>& leader : leaders) {
    if (const pid_t pid = leader.load(); pid > 0) kill(-pid, SIGKILL);
  }
}

}  // namespace fusebox
