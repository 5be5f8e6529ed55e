// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/barrier.h"

#include <sched.h>

namespace fusebox {
namespace {

constexpr int kSpins = 4000;  // Of some nanoseconds each: longer than a phase takes, shorter than a time slice.

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void WaitForAll(RunContext* context) {
  const uint32_t generation = context->generation.load(std::memory_order_acquire);
  if (context->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == uint32_t(context->threads)) {
    context->arrived.store(0, std::memory_order_relaxed);
    context->generation.store(generation + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; context->generation.load(std::memory_order_acquire) == generation; ++spins) {
    if (spins < kSpins) {
      Pause();
    } else {
      sched_yield();
    }
  }
}

}  // namespace fusebox
