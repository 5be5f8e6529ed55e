// SPDX-License-Identifier: Apache-2.0
// Wraps another optimizer and multiplies the loss by a scale, so that small gradients do not underflow; gradients are
// divided by the scale before the inner optimizer sees them. If one of them is not finite, the scale was too large, and
// the step changes nothing but the scale. After dynamic_growth_steps finite steps, the scale may be too small:
//     finite        scale <- 2 scale in every dynamic_growth_steps-th step since the scale has changed
//     not finite    scale <- scale / 2
// The host multiplies, divides and skips (runtime/programs/optimizer_program.h); the rule for the scale is here.
// Source: Micikevicius et al. (2018), Mixed precision training; in Keras's form.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class LossScaleOptimizer final : public sdk::Optimizer {
 public:
  explicit LossScaleOptimizer(const sdk::Attributes& attributes)
      : initial_scale_(attributes.Float("initial_scale")), growth_steps_(attributes.Int("dynamic_growth_steps")) {}

  // The variable is the scale, f32[]; its "gradient" says whether all gradients are finite, bool[].
  Value Update(sdk::Scope& scope, Value scale, Value finite, Value) const override {
    if (!(initial_scale_ > 0)) return scope.Error("attribute 'initial_scale' must be above 0, got {}", initial_scale_);
    const Value steps = scope.SharedSlot("step_counter", MakeType(FB_I64, {}));
    const Value grows = Equal(steps, double(growth_steps_ - 1));
    scope.Assign(steps, Select(And(finite, Not(grows)), steps + 1, 0));
    return scale * Select(finite, Select(grows, 2, scope.Constant(1)), 0.5);
  }

 private:
  double initial_scale_;
  int64_t growth_steps_;
};

FUSEBOX_PLUGIN(
    LossScaleOptimizer,
    {.id = "fusebox/loss_scale_optimizer",
     .doc = "Wraps an optimizer: scales the loss, and skips steps whose gradients are not finite.",
     .attributes = {
         sdk::ItemRef(FB_OPTIMIZER, "inner_optimizer").Doc("optimizer that changes the weights"),
         sdk::Float("initial_scale", 32768.0).Min(0).Doc("initial scale"),
         sdk::Int("dynamic_growth_steps", 2000).Min(1).Doc("number of finite steps after which the scale doubles"),
     }});

}  // namespace
}  // namespace fusebox
