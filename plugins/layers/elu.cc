// SPDX-License-Identifier: Apache-2.0
// The activation elu as a layer.
#include "fusebox/plugins/layers/float_input.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class EluLayer final : public sdk::Layer {
 public:
  explicit EluLayer(const sdk::Attributes& attributes) : alpha_(attributes.Float("alpha")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    x = AsFloat(x);
    return Select(Less(0, x), x, Expm1(Min(0, x)) * alpha_);
  }

 private:
  double alpha_;
};

FUSEBOX_PLUGIN(EluLayer, {.id = "fusebox/elu",
                          .doc = "x, and below 0 alpha * (exp(x) - 1).",
                          .keeps_mask = true,
                          .attributes = {sdk::Float("alpha", 1).Doc("negated limit as x goes to -inf")}});

}  // namespace
}  // namespace fusebox
