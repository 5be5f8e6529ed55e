// SPDX-License-Identifier: Apache-2.0
// Takes steps of a fixed size along the sign of gradient and momentum. With variable w, gradient g, learning rate lr:
//     w <- w - lr sign(beta_1 m + (1 - beta_1) g),   m <- beta_2 m + (1 - beta_2) g
// Source: Chen et al. (2023), Symbolic discovery of optimization algorithms; in Keras's form.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Lion final : public sdk::Optimizer {
 public:
  explicit Lion(const sdk::Attributes& attributes) : beta_1_(attributes.Float("beta_1")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    if (beta_1_ == 0) return scope.Error("attribute 'beta_1' must be above 0, as 0 leaves no momentum, got 0");
    const Value beta_1 = scope.Scalar("beta_1");
    const Value beta_2 = scope.Scalar("beta_2");
    const Value m = scope.Slot("momentum", variable.type());
    scope.Assign(m, beta_2 * m + (1 - beta_2) * gradient);
    return variable - learning_rate * Sign(beta_1 * m + (1 - beta_1) * gradient);
  }

 private:
  double beta_1_;
};

FUSEBOX_PLUGIN(Lion,
               {.id = "fusebox/lion",
                .doc = "Steps of a fixed size along the sign of gradient and momentum.",
                .attributes = {
                    sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                    sdk::Float("beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the momentum in a step"),
                    sdk::Float("beta_2", 0.99).Range(0, 1).ProgramScalar().Doc("weight of the past in the momentum"),
                }});

}  // namespace
}  // namespace fusebox
