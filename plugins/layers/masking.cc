// SPDX-License-Identifier: Apache-2.0
// Masks steps whose features all equal mask_value:
//     x [N, ..., features]  -->  y of the same shape, 0 there; its mask bool[N, ...] says which steps count
// Layers that work step by step pass the mask on, as in Keras. Losses and metrics leave out masked steps.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Masking final : public sdk::Layer {
 public:
  explicit Masking(const sdk::Attributes& attributes) : mask_value_(attributes.Float("mask_value")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects input [batch, ..., features], got {}", x.type());
    const Value others = Sum(Cast(Not(Equal(x, mask_value_)), FB_I32), {-1}, true);
    const Value counts = Less(0, others);
    Dims steps = x.dims();
    steps.pop_back();
    scope.SetMask(Reshape(counts, steps));
    return Select(counts, x, 0);
  }

 private:
  double mask_value_;
};

FUSEBOX_PLUGIN(Masking, {.id = "fusebox/masking",
                         .doc = "Masks steps whose features all equal mask_value: they become 0 and do not count.",
                         .attributes = {sdk::Float("mask_value", 0.0).Doc("value of the features of masked steps")}});

}  // namespace
}  // namespace fusebox
