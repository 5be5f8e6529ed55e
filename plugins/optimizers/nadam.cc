// SPDX-License-Identifier: Apache-2.0
// Adam with Nesterov momentum of increasing weight. With variable w, gradient g, learning rate lr, step t, counted from
// 1:
//     mu_t = beta_1 (1 - 0.96^(s t) / 2),   p_t = mu_1 mu_2 ... mu_t
//     m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
//     m_hat = mu_{t+1} m / (1 - p_{t+1}) + (1 - mu_t) g / (1 - p_t),   v_hat = v / (1 - beta_2^t)
//     w <- w - lr m_hat / (sqrt(v_hat) + epsilon)
// with the schedule's decay s: 0.004 in the paper and in older versions of Keras, 1 in Keras 3.
// Source: Dozat (2016), Incorporating Nesterov momentum into Adam; in Keras's form.
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class Nadam final : public sdk::Optimizer {
 public:
  explicit Nadam(const sdk::Attributes& attributes) : schedule_decay_(attributes.Float("schedule_decay")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Moments moments = UpdateMoments(scope, gradient);
    const Value t = UpdateNumber(scope);
    const Value mu = Momentum(scope, t);
    const Value next_mu = Momentum(scope, t + 1);
    // The product so far is shared by all variables. In Keras's files it comes after their slots.
    const Value product = scope.SharedSlot("u_product", MakeType(FB_F32, {}), "fusebox/ones", 1);
    const Value p = Cast(product, FB_F64) * mu;
    scope.Assign(product, Cast(p, FB_F32));
    const Value of_mean = Cast(next_mu / (1 - p * next_mu), FB_F32);
    const Value of_gradient = Cast((1 - mu) / (1 - p), FB_F32);
    const Value m_hat = of_mean * moments.first + of_gradient * gradient;
    const Value v_hat = moments.second / Cast(BiasCorrection(scope, "beta_2"), FB_F32);
    return variable - learning_rate * m_hat / (Sqrt(v_hat) + scope.Scalar("epsilon"));
  }

 private:
  Value Momentum(const sdk::Scope& scope, Value t) const {
    const Value exponent = schedule_decay_ == 1 ? t : schedule_decay_ * t;
    return WideScalar(scope, "beta_1") * (1 - 0.5 * Power(scope.Constant(0.96, FB_F64), exponent));
  }

  double schedule_decay_;
};

FUSEBOX_PLUGIN(
    Nadam, {.id = "fusebox/nadam",
            .doc = "Adam with Nesterov momentum.",
            .attributes = {
                sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                sdk::Float("beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean"),
                sdk::Float("beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean square"),
                sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the root"),
                sdk::Float("schedule_decay", 1).Min(0).Doc("how fast the momentum rises; 0.004 in old Keras"),
            }});

}  // namespace
}  // namespace fusebox
