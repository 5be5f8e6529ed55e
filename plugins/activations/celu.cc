// SPDX-License-Identifier: Apache-2.0
// ELU with a slope that is continuous at 0 for any alpha: x where x >= 0, alpha (exp(x / alpha) - 1) below 0.
// Source: Barron (2017), Continuously Differentiable Exponential Linear Units.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Celu final : public sdk::Activation {
 public:
  explicit Celu(const sdk::Attributes& attributes) : alpha_(attributes.Float("alpha")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (alpha_ == 0) return scope.Error("expects an alpha other than 0");
    return Select(Less(0, x), x, Expm1(Min(0, x) / alpha_) * alpha_);
  }

 private:
  double alpha_;
};

FUSEBOX_PLUGIN(Celu, {.id = "fusebox/celu",
                      .doc = "x, and below 0 alpha * (exp(x / alpha) - 1).",
                      .attributes = {sdk::Float("alpha", 1).Doc("negated limit as x goes to -inf")}});

}  // namespace
}  // namespace fusebox
