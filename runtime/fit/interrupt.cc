// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "fusebox/runtime/files/removed_by_signal.h"

namespace fusebox {
namespace {

// The handler touches nothing but these lock-free atomics and paths.
std::atomic<int> arrived = 0;
std::atomic<std::atomic<uint32_t>*> words[64] = {};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::atomic<uint32_t>*>::is_always_lock_free);

extern "C" void HandleSignal(int signal) {
  int none = 0;
  if (!arrived.compare_exchange_strong(none, signal)) {
    RemoveFilesOnSignal();
    _exit(128 + signal);
  }
  for (auto& slot : words) {
    if (std::atomic<uint32_t>* word = slot.load()) word->store(1, std::memory_order_relaxed);
  }
}

}  // namespace

void StopOnSignals() {
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int SignalArrived() { return arrived.load(); }

SignalSets::SignalSets(std::atomic<uint32_t>& word) {
  for (int i = 0; i < 64 && slot_ < 0; ++i) {
    std::atomic<uint32_t>* none = nullptr;
    if (words[i].compare_exchange_strong(none, &word)) slot_ = i;
  }
  // A signal may have come just before.
  if (SignalArrived() != 0) word.store(1, std::memory_order_relaxed);
}

SignalSets::~SignalSets() {
  if (slot_ >= 0) words[slot_].store(nullptr);
}

}  // namespace fusebox
