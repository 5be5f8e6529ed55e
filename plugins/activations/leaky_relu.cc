// SPDX-License-Identifier: Apache-2.0
// x where x >= 0, negative_slope * x below 0. The layer of this name has another default, as in Keras.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class LeakyReluActivation final : public sdk::Activation {
 public:
  explicit LeakyReluActivation(const sdk::Attributes& attributes)
      : negative_slope_(attributes.Float("negative_slope")) {}

  Value Expand(sdk::Scope&, Value x) const override { return Select(Less(x, 0), x * negative_slope_, x); }

 private:
  double negative_slope_;
};

FUSEBOX_PLUGIN(LeakyReluActivation, {.id = "fusebox/leaky_relu",
                                     .doc = "x, and below 0 negative_slope * x.",
                                     .attributes = {sdk::Float("negative_slope", 0.2).Doc("slope below 0")}});

}  // namespace
}  // namespace fusebox
