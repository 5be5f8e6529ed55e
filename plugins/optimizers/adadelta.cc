// SPDX-License-Identifier: Apache-2.0
// Takes steps as long as the previous ones, along the gradient divided by its root mean square. With variable w,
// gradient g, learning rate lr:
//     a <- rho a + (1 - rho) g^2,   d = -sqrt(b + epsilon) / sqrt(a + epsilon) g
//     b <- rho b + (1 - rho) d^2,   w <- w + lr d
// Source: Zeiler (2012), ADADELTA: an adaptive learning rate method; in Keras's form.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Adadelta final : public sdk::Optimizer {
 public:
  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value rho = scope.Scalar("rho");
    const Value epsilon = scope.Scalar("epsilon");
    const Value a = scope.Slot("accumulated_grad", variable.type());
    const Value b = scope.Slot("accumulated_delta_var", variable.type());
    const Value next_a = rho * a + (1 - rho) * Square(gradient);
    const Value delta = -(Sqrt(b + epsilon) * gradient / Sqrt(next_a + epsilon));
    scope.Assign(a, next_a);
    scope.Assign(b, rho * b + (1 - rho) * Square(delta));
    return variable + learning_rate * delta;
  }
};

FUSEBOX_PLUGIN(Adadelta,
               {.id = "fusebox/adadelta",
                .doc = "Steps as long as the previous ones, along the gradient divided by its root mean square.",
                .attributes = {
                    sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("factor of each step"),
                    sdk::Float("rho", 0.95).Range(0, 1).ProgramScalar().Doc("weight of the past in the means"),
                    sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the mean squares"),
                }});

}  // namespace
}  // namespace fusebox
