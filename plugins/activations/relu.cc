// SPDX-License-Identifier: Apache-2.0
// Rectified linear unit, with Keras's meaning of its arguments:
//     max_value                          for x >= max_value
//     x                                  for threshold < x < max_value
//     negative_slope * (x - threshold)   for x <= threshold
// The gradient of max(x, 0) at 0 is 0.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class ReluActivation final : public sdk::Activation {
 public:
  explicit ReluActivation(const sdk::Attributes& attributes)
      : negative_slope_(attributes.Float("negative_slope")),
        max_value_(attributes.Float("max_value")),
        threshold_(attributes.Float("threshold")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (max_value_ < 0) return scope.Error("expects a max_value of 0 or more, or none, got {}", max_value_);
    Value y;
    if (threshold_ == 0) {
      y = negative_slope_ == 0 ? Relu(x) : Select(Less(x, 0), x * negative_slope_, x);
    } else {
      const Value zero = scope.Constant(0, x.dtype());
      const Value below = negative_slope_ == 0 ? zero : Min(x - threshold_, 0) * negative_slope_;
      y = Select(LessEqual(x, threshold_), below, x);
    }
    return max_value_ == sdk::kNone ? y : Min(y, max_value_);
  }

 private:
  double negative_slope_, max_value_, threshold_;
};

FUSEBOX_PLUGIN(ReluActivation,
               {.id = "fusebox/relu",
                .doc = "max(x, 0), optionally with a threshold, a slope below it and a maximum; NaN stays NaN.",
                .attributes = {
                    sdk::Float("negative_slope", 0).Min(0).Doc("slope below the threshold"),
                    sdk::Float("max_value", sdk::kNone).Doc("maximum of the result"),
                    sdk::Float("threshold", 0).Min(0).Doc("where the slope begins (0 below it if the slope is 0)"),
                }});

}  // namespace
}  // namespace fusebox
