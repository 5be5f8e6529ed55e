// SPDX-License-Identifier: Apache-2.0
// How a thread waits for something that comes soon: it stays awake for as long as waking it would take, before it
// sleeps.
#pragma once
#include <atomic>
#include <chrono>

namespace fusebox {

// About the time that waking a thread takes when its core is idle, on a virtual machine too. So spinning first costs at
// most twice what the better choice of spinning and sleeping would have. It is far below a time slice, so another
// thread on the same core is not kept waiting.
inline constexpr std::chrono::microseconds kSpinTime{50};

// Whether `value` changed from `old` within kSpinTime. If so, what was written before that store (release) is visible.
template <class T>
bool SpinWhile(const std::atomic<T>& value, T old) {
  constexpr int kTurnsAClock = 32;  // Reading the clock costs more than a turn.
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int turn = 0; turn < kTurnsAClock; ++turn) {
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
