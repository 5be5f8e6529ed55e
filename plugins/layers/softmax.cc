// SPDX-License-Identifier: Apache-2.0
// exp(x) / sum(exp(x)) along one or several axes. Along the last axis it is the activation softmax, so a loss finds its
// logits.
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

class SoftmaxLayer final : public sdk::Layer {
 public:
  explicit SoftmaxLayer(const sdk::Attributes& attributes) : axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const auto axes = FixedAxes(scope, x, axes_);
    if (!axes) return {};
    // Keras broadcasts the mask against x from the last axis, where it never fits.
    if (const Value mask = scope.Mask(); mask.ok()) {
      return scope.Error("expects no mask, got {}: use the activation softmax", mask.type());
    }
    if (*axes == Dims{x.rank() - 1}) return sdk::Reference(FB_ACTIVATION, "softmax")(x);
    return Softmax(x, *axes);
  }

 private:
  Dims axes_;
};

FUSEBOX_PLUGIN(SoftmaxLayer,
               {.id = "fusebox/softmax",
                .doc = "exp(x) / sum(exp(x)) along axes: probabilities.",
                .keeps_mask = true,
                .attributes = {sdk::Ints("axis", kLast).Doc("axes along which the results add up to 1")}});

}  // namespace
}  // namespace fusebox
