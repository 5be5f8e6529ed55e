// SPDX-License-Identifier: Apache-2.0
// Follow the regularized leader. With variable w, gradient g, learning rate lr, p = -learning_rate_power:
//     a' = a + g^2,   z <- z + g + 2 l2_shrinkage w - (a'^p - a^p) / lr w
//     w <- (clip(z, -l1, l1) - z) / (a'^p / lr + 2 (l2 + beta / (2 lr))),   a <- a'
// Source: McMahan et al. (2013), Ad click prediction: a view from the trenches; in Keras's form.
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class Ftrl final : public sdk::Optimizer {
 public:
  explicit Ftrl(const sdk::Attributes& attributes)
      : power_(-attributes.Float("learning_rate_power")), initial_(attributes.Float("initial_accumulator_value")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value a = scope.Slot("accumulator", variable.type(), fmt::format("fusebox/constant:value={}", initial_));
    const Value z = scope.Slot("linear", variable.type());
    const Value l1 = scope.Scalar("l1_regularization_strength");
    const Value l2 = scope.Scalar("l2_regularization_strength");
    const Value shrinkage = scope.Scalar("l2_shrinkage_regularization_strength");
    const Value next_a = a + Square(gradient);
    const Value grown = Raised(next_a);
    const Value sigma = (grown - Raised(a)) / learning_rate;
    const Value next_z = z + (gradient + 2 * shrinkage * variable - sigma * variable);
    const Value quadratic = grown / learning_rate + 2 * (l2 + scope.Scalar("beta") / (2 * learning_rate));
    scope.Assign(a, next_a);
    scope.Assign(z, next_z);
    return (Min(Max(next_z, -l1), l1) - next_z) / quadratic;
  }

 private:
  // x^p; without logarithms for the usual power.
  Value Raised(Value x) const { return power_ == 0.5 ? Sqrt(x) : power_ == 0 ? x * 0 + 1 : Exp(Log(x) * power_); }

  double power_, initial_;
};

FUSEBOX_PLUGIN(
    Ftrl,
    {.id = "fusebox/ftrl",
     .doc = "Follow the regularized leader: for sparse linear models.",
     .attributes = {
         sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
         sdk::Float("learning_rate_power", -0.5)
             .Range(-sdk::kInfinity, 0)
             .Doc("exponent by which steps shrink with the sum of squares"),
         sdk::Float("initial_accumulator_value", 0.1).Min(0).Doc("initial value of the sum of squares"),
         sdk::Float("l1_regularization_strength", 0.0).Min(0).ProgramScalar().Doc("weight of the sum of magnitudes"),
         sdk::Float("l2_regularization_strength", 0.0).Min(0).ProgramScalar().Doc("weight of the sum of squares"),
         sdk::Float("l2_shrinkage_regularization_strength", 0.0)
             .Min(0)
             .ProgramScalar()
             .Doc("weight of the sum of squares, in the gradient"),
         sdk::Float("beta", 0.0).ProgramScalar().Doc("beta in the paper"),
     }});

}  // namespace
}  // namespace fusebox
