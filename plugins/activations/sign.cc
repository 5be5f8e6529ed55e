// SPDX-License-Identifier: Apache-2.0
// -1, 0 or 1. No gradient passes. Not in Keras.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SignActivation final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Sign(x); }
};

FUSEBOX_PLUGIN(SignActivation,
               {.id = "fusebox/sign",
                .doc = "-1, 0 or 1 where x is below, at or above 0; NaN stays NaN. No gradient passes."});

}  // namespace
}  // namespace fusebox
