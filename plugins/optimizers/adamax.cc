// SPDX-License-Identifier: Apache-2.0
// Adam with the maximum magnitude in place of the mean square. With variable w, gradient g, learning rate lr, step t,
// counted from 1:
//     m <- m + (1 - beta_1) (g - m),   u <- max(beta_2 u, |g|)
//     w <- w - lr / (1 - beta_1^t) m / (u + epsilon)
// Source: Kingma, Ba (2014), Adam: a method for stochastic optimization, section 7.1; in Keras's form.
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class Adamax final : public sdk::Optimizer {
 public:
  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value m = scope.Slot("momentum", variable.type());
    const Value u = scope.Slot("norm", variable.type());
    const Value mean = RunningAverage(scope, m, gradient, scope.Scalar("beta_1"));
    const Value greatest = Max(scope.Scalar("beta_2") * u, Abs(gradient));
    scope.Assign(u, greatest);
    const Value alpha = learning_rate / Cast(BiasCorrection(scope, "beta_1"), FB_F32);
    return variable - alpha * mean / (greatest + scope.Scalar("epsilon"));
  }
};

FUSEBOX_PLUGIN(Adamax,
               {.id = "fusebox/adamax",
                .doc = "Adam with the maximum magnitude in place of the mean square.",
                .attributes = {
                    sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                    sdk::Float("beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean"),
                    sdk::Float("beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("decay of the maximum magnitude"),
                    sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the magnitude"),
                }});

}  // namespace
}  // namespace fusebox
