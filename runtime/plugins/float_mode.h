// SPDX-License-Identifier: Apache-2.0
// A library linked with gcc's -ffast-math makes denormals zero in the thread that loads it; code of a plugin may change
// the rounding mode. A guard restores the mode that it found when it was made.
#pragma once
#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

namespace fusebox {

class FloatModeGuard {
 public:
  FloatModeGuard() : saved_(Get()) {}
  ~FloatModeGuard() { Set(saved_); }
  FloatModeGuard(const FloatModeGuard&) = delete;
  FloatModeGuard& operator=(const FloatModeGuard&) = delete;

  bool changed() const { return Get() != saved_; }

 private:
#if defined(__x86_64__)
  struct Mode {
    uint32_t sse;
    uint16_t x87;  // fesetround changes both.
    bool operator==(const Mode&) const = default;
  };
  static Mode Get() {
    Mode mode{_mm_getcsr() & ~uint32_t{0x3F}, 0};  // Without the sticky exception flags.
    asm volatile("fnstcw %0" : "=m"(mode.x87));
    return mode;
  }
  static void Set(Mode mode) {
    _mm_setcsr(mode.sse);
    asm volatile("fldcw %0" : : "m"(mode.x87));
  }
#elif defined(__aarch64__)
  using Mode = uint64_t;
  static Mode Get() {
    Mode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void Set(Mode mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
  using Mode = int;
  static Mode Get() { return std::fegetround(); }
  static void Set(Mode mode) { std::fesetround(mode); }
#endif

  const Mode saved_;
};

}  // namespace fusebox
