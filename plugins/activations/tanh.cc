// SPDX-License-Identifier: Apache-2.0
// Hyperbolic tangent.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class TanhActivation final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Tanh(x); }
};

FUSEBOX_PLUGIN(TanhActivation, {.id = "fusebox/tanh", .doc = "Hyperbolic tangent, in (-1, 1)."});

}  // namespace
}  // namespace fusebox
