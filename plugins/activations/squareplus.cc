// SPDX-License-Identifier: Apache-2.0
// (x + sqrt(x^2 + b)) / 2: a smooth max(x, 0) without exp.
// Source: Barron (2021), Squareplus: A Softplus-Like Algebraic Rectifier.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Squareplus final : public sdk::Activation {
 public:
  explicit Squareplus(const sdk::Attributes& attributes) : b_(attributes.Float("b")) {}

  Value Expand(sdk::Scope&, Value x) const override { return (x + Sqrt(Square(x) + b_)) * 0.5; }

 private:
  double b_;
};

FUSEBOX_PLUGIN(Squareplus, {.id = "fusebox/squareplus",
                            .doc = "(x + sqrt(x^2 + b)) / 2.",
                            .attributes = {sdk::Float("b", 4).Min(0).Doc("roundness of the corner at 0")}});

}  // namespace
}  // namespace fusebox
