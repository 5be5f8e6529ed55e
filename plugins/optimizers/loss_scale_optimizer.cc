// SPDX-License-Identifier: Apache-2.0
// Another optimizer, of a loss that is multiplied by a scale, so that small gradients do not vanish on their way; they are
// divided by it before the other one sees them. Where one of them is not finite, the step changes nothing else, and the
// scale was too large; after dynamic_growth_steps steps without such, it may be too small:
//     finite        scale <- 2 scale in every dynamic_growth_steps-th step since the scale has changed
//     not finite    scale <- scale / 2
// The host multiplies, divides and skips (runtime/programs/optimizer_program.h); the rule for the scale is here.
// Source: Micikevicius et al. (2018), Mixed precision training; in the form that Keras gives it.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class LossScaleOptimizer final : public sdk::Optimizer {
 public:
  explicit LossScaleOptimizer(const sdk::Attributes& attributes)
      : initial_scale_(attributes.Float("initial_scale")), growth_steps_(attributes.Int("dynamic_growth_steps")) {}

  // The variable is the scale, f32[]; its gradient whether all gradients are finite, bool[].
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

FUSEBOX_PLUGIN(LossScaleOptimizer,
               {.id = "fusebox/loss_scale_optimizer",
                .doc = "Another optimizer, of a scaled loss: without steps whose gradients are not finite.",
                .attributes = {
                    sdk::ItemRef(FB_OPTIMIZER, "inner_optimizer").Doc("the one that changes the weights"),
                    sdk::Float("initial_scale", 32768.0).Min(0).Doc("the scale at first"),
                    sdk::Int("dynamic_growth_steps", 2000).Min(1).Doc("so many finite steps double the scale"),
                }});

}  // namespace
}  // namespace fusebox
