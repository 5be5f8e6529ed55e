// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that every program runs in: round to nearest, no traps; denormals count as zero where
// the machine can be told so (x86-64, AArch64), else they are kept. Adam's moments and momentum's velocity halve every
// few steps where a gradient stays zero, as that of a pixel which is always black, and come to rest among denormals,
// which cost an Intel core some hundred cycles each: an epoch took four times as long. Keras's backends flush them, too
// (TensorFlow: ScopedFlushDenormal around each kernel). A library built with -ffast-math may have switched any of it
// for a thread.
#pragma once
#if defined(__SSE2__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#else
#include <cfenv>
#endif

namespace fusebox {

// Sets it, and restores what was before.
class FloatEnvironment {
 public:
#if defined(__SSE2__)
  FloatEnvironment() : before_(_mm_getcsr()) { _mm_setcsr(kNoTraps | kFlushToZero | kDenormalsAreZero); }
  ~FloatEnvironment() { _mm_setcsr(before_); }
#elif defined(__aarch64__)
  FloatEnvironment() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    Set(kFlushToZero);
  }
  ~FloatEnvironment() { Set(before_); }
#else
  FloatEnvironment() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~FloatEnvironment() { std::fesetenv(&before_); }
#endif
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr unsigned kNoTraps = 0x1F80, kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;  // Bits of MXCSR.
  unsigned before_;
#elif defined(__aarch64__)
  static constexpr uint64_t kFlushToZero = uint64_t{1} << 24;  // FPCR.FZ: inputs and results.
  static void Set(uint64_t fpcr) { asm volatile("msr fpcr, %0" : : "r"(fpcr)); }
  uint64_t before_;
#else
  std::fenv_t before_;
#endif
};

}  // namespace fusebox
