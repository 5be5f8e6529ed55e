// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that every program runs in: round to nearest, no traps, denormals kept. A library built
// with -ffast-math may have switched that for a thread.
#pragma once
#include <cfenv>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace fusebox {

// Sets it, and restores what was before.
class DefaultFloatEnvironment {
 public:
#ifdef __SSE2__
  DefaultFloatEnvironment() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~DefaultFloatEnvironment() { _mm_setcsr(before_); }
#else
  DefaultFloatEnvironment() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatEnvironment() { std::fesetenv(&before_); }
#endif
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
#ifdef __SSE2__
  unsigned before_;
#else
  std::fenv_t before_;
#endif
};

}  // namespace fusebox
