// SPDX-License-Identifier: Apache-2.0
// Adam with steps as long as the variable, for large batches. With variable w, gradient g, learning rate lr, step t,
// counted from 1:
//     m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
//     u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
//     w <- w - lr |w| / |u| u     (lr u where |w| or |u| is 0)
// Source: You et al. (2020), Large batch optimization for deep learning: training BERT in 76 minutes; in Keras's form.
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class Lamb final : public sdk::Optimizer {
 public:
  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Moments moments = UpdateMoments(scope, gradient);
    const Value m_hat = moments.first / Cast(BiasCorrection(scope, "beta_1"), FB_F32);
    const Value v_hat = moments.second / Cast(BiasCorrection(scope, "beta_2"), FB_F32);
    const Value update = m_hat / (Sqrt(v_hat) + scope.Scalar("epsilon"));
    const Value w_norm = Norm(variable), u_norm = Norm(update);
    const Value ratio = Select(And(Greater(w_norm, 0), Greater(u_norm, 0)), w_norm / u_norm, 1.0);
    return variable - ratio * learning_rate * update;
  }
};

FUSEBOX_PLUGIN(
    Lamb, {.id = "fusebox/lamb",
           .doc = "Adam with steps as long as the variable, for large batches.",
           .attributes = {
               sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
               sdk::Float("beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean"),
               sdk::Float("beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean square"),
               sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the root"),
           }});

}  // namespace
}  // namespace fusebox
