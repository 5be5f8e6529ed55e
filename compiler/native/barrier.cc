// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/barrier.h"

#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <utility>

#include "fusebox/compiler/native/spin.h"

namespace fusebox {
namespace {

// Nanoseconds: shorter than another process's turn on a core, longer than waking a thread takes.
constexpr int64_t kTimeSlice = 500'000;

int64_t Now() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

// Whether this thread has lost its core to another one since the last call. The first answer is no.
bool HasLostItsCore() {
  thread_local std::optional<int64_t> known;
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const std::optional<int64_t> before = std::exchange(known, int64_t{usage.ru_nivcsw});
  return before.has_value() && *before != usage.ru_nivcsw;
}

}  // namespace

void WaitForAll(RunContext* context) {
  const uint32_t generation = context->generation.load(std::memory_order_acquire);
  if (context->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == uint32_t(context->threads)) {
    if (const int64_t since = context->asleep_since.load(std::memory_order_relaxed); since != 0) {
      context->asleep_since.store(0, std::memory_order_relaxed);
      if (HasLostItsCore() && Now() - since > kTimeSlice) context->late.store(1, std::memory_order_relaxed);
    }
    context->arrived.store(0, std::memory_order_relaxed);
    // In one total order with the sleepers' accesses. Otherwise a thread could fall asleep just after the others were
    // woken.
    context->generation.store(generation + 1, std::memory_order_seq_cst);
    context->generation.notify_all();
    return;
  }
  if (SpinWhile(context->generation, generation)) return;
  int64_t none = 0;
  context->asleep_since.compare_exchange_strong(none, Now(), std::memory_order_relaxed);
  context->generation.wait(generation, std::memory_order_acquire);
}

}  // namespace fusebox
