// SPDX-License-Identifier: Apache-2.0
// Adam without a learning rate schedule: takes gradients between the last iterate z and the mean x of all iterates.
// With variable y, gradient g, learning rate lr, step t, counted from 1:
//     v <- v + (1 - beta_2) (g^2 - v),   z' = z - lr g / (sqrt(v / (1 - beta_2^t)) + epsilon)
//     x = (y - (1 - beta_1) z) / beta_1,   x' = (1 - 1/t) x + z' / t
//     y <- (1 - beta_1) z' + beta_1 x',   z <- z'
// lr grows over the first warmup_steps. z starts as the variable.
// Source: Defazio et al. (2024), The road less scheduled; in Keras's form.
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class ScheduleFreeAdamW final : public sdk::Optimizer {
 public:
  explicit ScheduleFreeAdamW(const sdk::Attributes& attributes)
      : beta_1_(attributes.Float("beta_1")), warmup_steps_(attributes.Int("warmup_steps")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    if (beta_1_ == 0) return scope.Error("attribute 'beta_1' must be above 0, which it divides by, got 0");
    const Value t = UpdateNumber(scope);
    if (warmup_steps_ > 0) learning_rate = learning_rate * Cast(Min(t / double(warmup_steps_), 1), FB_F32);
    const Value beta_1 = scope.Scalar("beta_1");
    const Value z = scope.Slot("momentum", variable.type(), "variable");
    const Value v_slot = scope.Slot("velocity", variable.type());
    const Value v = RunningAverage(scope, v_slot, Square(gradient), scope.Scalar("beta_2"));
    const Value root = Sqrt(v / Cast(BiasCorrection(scope, "beta_2"), FB_F32)) + scope.Scalar("epsilon");
    const Value next_z = z - learning_rate * gradient / root;
    scope.Assign(z, next_z);
    const Value weight = Cast(1 / t, FB_F32);
    const Value x = (variable - (1 - beta_1) * z) / beta_1;
    const Value next_x = (1 - weight) * x + weight * next_z;
    return (1 - beta_1) * next_z + beta_1 * next_x;
  }

 private:
  double beta_1_;
  int64_t warmup_steps_;
};

FUSEBOX_PLUGIN(
    ScheduleFreeAdamW,
    {.id = "fusebox/schedule_free_adamw",
     .doc = "Adam that averages its iterates and so needs no schedule.",
     .attributes = {
         sdk::Float("learning_rate", 0.0025).Min(0).ProgramScalar().Doc("the size of a step"),
         sdk::Float("beta_1", 0.9)
             .Range(0, 1)
             .ProgramScalar()
             .Doc("weight of the mean in the point where gradients are taken"),
         sdk::Float("beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean square"),
         sdk::Float("epsilon", 1e-8).Min(0).ProgramScalar().Doc("added to the root"),
         sdk::Int("warmup_steps", 0).Min(0).Doc("steps over which the learning rate grows"),
     }});

}  // namespace
}  // namespace fusebox
