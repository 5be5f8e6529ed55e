// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "fusebox/runtime/files/signal_cleanup.h"

namespace fusebox {
namespace {

// The handler touches nothing but these lock-free atomics and paths.
std::atomic<int> arrived = 0;
std::atomic<bool> work_to_keep = false;
std::atomic<const char*> last_words = nullptr;
std::atomic<std::atomic<uint32_t>*> words[64] = {};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::atomic<uint32_t>*>::is_always_lock_free);

// Async-signal-safe. A failure is ignored, as the process is about to end.
void Say(int signal) {
  const char* const prefix = last_words.load();
  if (prefix == nullptr) return;
  for (const char* part : {prefix, "interrupted by ", signal == SIGTERM ? "SIGTERM\n" : "SIGINT\n"}) {
    [[maybe_unused]] const auto written = write(STDERR_FILENO, part, std::strlen(part));
  }
}

extern "C" void HandleSignal(int signal) {
  int none = 0;
  const bool is_first = arrived.compare_exchange_strong(none, signal);
  bool is_heeded = work_to_keep.load();
  for (auto& slot : words) {
    std::atomic<uint32_t>* const word = slot.load();
    if (word == nullptr) continue;
    word->store(1, std::memory_order_relaxed);
    is_heeded = true;
  }
  if (is_first && is_heeded) return;
  CleanUpOnSignal();
  if (is_first) Say(signal);
  _exit(128 + signal);
}

void Heed(int signal) {
  // A shell starts a job in the background with SIGINT ignored, so that Ctrl-C ends only the job in front.
  struct sigaction action = {};
  sigaction(signal, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = HandleSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void StopOnSignals(const char* prefix) {
  last_words.store(prefix);
  Heed(SIGINT);
  Heed(SIGTERM);
}

void KeepWorkOnSignals(bool keep) { work_to_keep.store(keep); }

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
