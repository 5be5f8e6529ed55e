// SPDX-License-Identifier: Apache-2.0
// Returns x itself, and adds a penalty on it to the loss: (l1 sum |x| + l2 sum x^2) / samples.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class ActivityRegularization final : public sdk::Layer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 1 || x.dtype() != FB_F32) return scope.Error("expects input f32[batch, ...], got {}", x.type());
    const Value l1 = scope.Scalar("l1");
    const Value l2 = scope.Scalar("l2");
    const Dims all = sdk::AllAxes(x);
    scope.AddLoss((l1 * Sum(Abs(x), all) + l2 * Sum(Square(x), all)) / Extent(x, {0}));
    return x;
  }
};

FUSEBOX_PLUGIN(ActivityRegularization,
               {.id = "fusebox/activity_regularization",
                .doc = "x itself; adds a penalty on its magnitudes and squares, averaged over samples, to the loss.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("l1", 0.0).Min(0).ProgramScalar().Doc("factor of the magnitudes"),
                    sdk::Float("l2", 0.0).Min(0).ProgramScalar().Doc("factor of the squares"),
                }});

}  // namespace
}  // namespace fusebox
