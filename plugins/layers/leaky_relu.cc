// SPDX-License-Identifier: Apache-2.0
// x where x >= 0, negative_slope * x below 0. The activation of this name has another default, as in Keras.
#include "fusebox/plugins/layers/float_input.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class LeakyReluLayer final : public sdk::Layer {
 public:
  explicit LeakyReluLayer(const sdk::Attributes& attributes) : negative_slope_(attributes.Float("negative_slope")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    x = AsFloat(x);
    return Select(Less(x, 0), x * negative_slope_, x);
  }

 private:
  double negative_slope_;
};

FUSEBOX_PLUGIN(LeakyReluLayer, {.id = "fusebox/leaky_relu",
                                .doc = "x, and below 0 negative_slope * x.",
                                .keeps_mask = true,
                                .attributes = {sdk::Float("negative_slope", 0.3).Min(0).Doc("slope below 0")}});

}  // namespace
}  // namespace fusebox
