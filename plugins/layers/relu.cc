// SPDX-License-Identifier: Apache-2.0
// The activation relu as a layer, with its arguments.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class ReluLayer final : public sdk::Layer {
 public:
  explicit ReluLayer(const sdk::Attributes& attributes)
      : max_value_(attributes.Float("max_value")),
        negative_slope_(attributes.Float("negative_slope")),
        threshold_(attributes.Float("threshold")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    std::string words = fmt::format("relu:negative_slope={},threshold={}", negative_slope_, threshold_);
    if (max_value_ != sdk::kNone) words += fmt::format(",max_value={}", max_value_);
    return sdk::Reference(FB_ACTIVATION, words)(x);
  }

 private:
  double max_value_, negative_slope_, threshold_;
};

FUSEBOX_PLUGIN(ReluLayer,
               {.id = "fusebox/relu",
                .doc = "max(x, 0), optionally with a threshold, a slope below it and a maximum.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("max_value", sdk::kNone).Min(0).Doc("maximum of the result"),
                    sdk::Float("negative_slope", 0).Min(0).Doc("slope below the threshold"),
                    sdk::Float("threshold", 0).Min(0).Doc("where the slope begins (0 below it if the slope is 0)"),
                }});

}  // namespace
}  // namespace fusebox
