// SPDX-License-Identifier: Apache-2.0
// x tanh(softplus(x)).
// Source: Misra (2020), Mish: A Self Regularized Non-Monotonic Neural Activation Function.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Mish final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return x * Tanh(Softplus(x)); }
};

FUSEBOX_PLUGIN(Mish, {.id = "fusebox/mish", .doc = "x * tanh(log(1 + exp(x)))."});

}  // namespace
}  // namespace fusebox
