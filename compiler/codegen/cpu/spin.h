// SPDX-License-Identifier: Apache-2.0
// How a thread waits for something that is near: awake for as long as waking would take, before it sleeps.
#pragma once
#include <atomic>
#include <chrono>

namespace fusebox {

// About what it takes to wake a thread whose core is idle, on a virtual machine too; so whether to spin or to sleep at once
// was right, it costs no more than twice what knowing would have. Far below a time slice: a neighbour on the same core is
// not kept from it.
inline constexpr std::chrono::microseconds kSpinTime{50};

// Whether `value` came to differ from `old` within kSpinTime. What was written before that (release) is there then.
template <class T>
bool SpinWhile(const std::atomic<T>& value, T old) {
  constexpr int kLooksAtTheClock = 32;  // One in as many turns: each costs more than a turn.
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int turn = 0; turn < kLooksAtTheClock; ++turn) {
      if (value.load(std::memory_order_acquire) != old) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace fusebox
