// SPDX-License-Identifier: Apache-2.0
// w <- max(w, 0). Source: Keras.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class NonNeg final : public sdk::Constraint {
 public:
  Value Expand(sdk::Scope&, Value w) const override { return Max(w, 0); }
};

FUSEBOX_PLUGIN(NonNeg, {.id = "fusebox/non_neg", .doc = "No element below 0."});

}  // namespace
}  // namespace fusebox
