// SPDX-License-Identifier: Apache-2.0
// Changes the floating-point mode when it is loaded, like a library linked with gcc's -ffast-math, and further when
// called.
#include <cfenv>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "fusebox/plugins/sdk/sdk.h"

namespace bad {
using namespace fusebox;

[[gnu::constructor]] static void LikeFastMath() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // Denormals are zero, and are flushed to zero.
#endif
}

struct Harmless final : sdk::Layer {
  Value Expand(sdk::Scope&, Value x) const override {
    std::fesetround(FE_UPWARD);
    return Tanh(x);
  }
};
FUSEBOX_PLUGIN(Harmless, {.id = "bad/harmless"});

}  // namespace bad
FUSEBOX_LIBRARY("float_mode", "1.0.0")
