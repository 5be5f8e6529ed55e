// SPDX-License-Identifier: Apache-2.0
// Takes steps of a fixed size, in the direction of the running mean of the gradients:
//     m <- beta m + (1 - beta) g,   variable <- variable - learning_rate sign(m)
// Source: Bernstein, Wang, Azizzadenesheli, Anandkumar (2018), signSGD: compressed optimisation for non-convex
// problems.
#include <fusebox/plugins/sdk/sdk.h>

namespace acme {
using namespace fusebox;

class SignMomentum final : public sdk::Optimizer {
 public:
  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value beta = scope.Scalar("momentum");
    const Value m = scope.Slot("mean", variable.type());
    const Value next = beta * m + (1 - beta) * gradient;
    scope.Assign(m, next);
    return variable - learning_rate * Sign(next);
  }
};

FUSEBOX_PLUGIN(SignMomentum,
               {.id = "acme/sign_momentum",
                .doc = "Steps of a fixed size along the sign of the mean gradient.",
                .attributes = {
                    sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                    sdk::Float("momentum", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean"),
                }});

}  // namespace acme
