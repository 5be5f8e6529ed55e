// SPDX-License-Identifier: Apache-2.0
// Divides the gradient by the root of the sum of all its squares. With variable w, gradient g, learning rate lr:
//     a <- a + g^2,   w <- w - lr g / sqrt(a + epsilon)
// or, in old versions of Keras, w <- w - lr g / (sqrt(a) + epsilon).
// Source: Duchi, Hazan, Singer (2011), Adaptive subgradient methods for online learning and stochastic optimization; in
// the form that Keras gives it.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Adagrad final : public sdk::Optimizer {
 public:
  explicit Adagrad(const sdk::Attributes& attributes)
      : initial_(attributes.Float("initial_accumulator_value")), outside_(attributes.Bool("epsilon_outside_root")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value a = scope.Slot("accumulator", variable.type(), fmt::format("fusebox/constant:value={}", initial_));
    const Value next = a + Square(gradient);
    scope.Assign(a, next);
    const Value epsilon = scope.Scalar("epsilon");
    return variable - learning_rate * gradient / (outside_ ? Sqrt(next) + epsilon : Sqrt(next + epsilon));
  }

 private:
  double initial_;
  bool outside_;
};

FUSEBOX_PLUGIN(Adagrad, {.id = "fusebox/adagrad",
                         .doc = "Divides the gradient by the root of the sum of all its squares.",
                         .attributes = {
                             sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                             sdk::Float("initial_accumulator_value", 0.1).Min(0).Doc("initial value of the sum"),
                             sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the sum"),
                             sdk::Bool("epsilon_outside_root", false).Doc("adds epsilon to the root, not below it"),
                         }});

}  // namespace
}  // namespace fusebox
