// SPDX-License-Identifier: Apache-2.0
// x times the normal cumulative distribution function at x, x (1 + erf(x / sqrt(2))) / 2, or its approximation by tanh.
// Source: Hendrycks, Gimpel (2016), Gaussian Error Linear Units.
#include <cmath>
#include <numbers>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Gelu final : public sdk::Activation {
 public:
  explicit Gelu(const sdk::Attributes& attributes) : approximate_(attributes.Bool("approximate")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    if (!approximate_) return x * 0.5 * (1 + Erf(x * (1 / std::numbers::sqrt2)));
    const double k = std::sqrt(2 / std::numbers::pi);
    return x * 0.5 * (1 + Tanh((x + Square(x) * x * 0.044715) * k));
  }

 private:
  bool approximate_;
};

FUSEBOX_PLUGIN(Gelu, {.id = "fusebox/gelu",
                      .doc = "x * P(X <= x) for a normal X.",
                      .attributes = {sdk::Bool("approximate", false).Doc("computes with tanh instead of erf")}});

}  // namespace
}  // namespace fusebox
