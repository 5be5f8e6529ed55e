// SPDX-License-Identifier: Apache-2.0
// Scaled exponential linear unit. With these two constants and lecun_normal weights, activations keep mean 0 and
// variance 1.
// Source: Klambauer et al. (2017), Self-Normalizing Neural Networks.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Selu final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override {
    constexpr double kAlpha = 1.6732632423543772, kScale = 1.0507009873554805;
    return Select(Less(0, x), x, Expm1(Min(0, x)) * kAlpha) * kScale;
  }
};

FUSEBOX_PLUGIN(Selu,
               {.id = "fusebox/selu", .doc = "scale * elu(x, alpha), with alpha = 1.67326324 and scale = 1.05070098."});

}  // namespace
}  // namespace fusebox
