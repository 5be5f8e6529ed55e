// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent. With variable w, gradient g, learning rate lr, momentum mu:
//     mu = 0     w <- w - lr g
//     mu > 0     m <- mu m - lr g,   w <- w + m
//     nesterov   m <- mu m - lr g,   w <- w + mu m - lr g   (with the new m)
// Source: Sutskever, Martens, Dahl, Hinton (2013), On the importance of initialization and momentum in deep learning;
// in Keras's form.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Sgd final : public sdk::Optimizer {
 public:
  explicit Sgd(const sdk::Attributes& attributes)
      : has_momentum_(attributes.Float("momentum") != 0), nesterov_(attributes.Bool("nesterov")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value step = learning_rate * gradient;
    if (!has_momentum_) return variable - step;
    const Value mu = scope.Scalar("momentum");
    const Value m = scope.Slot("momentum", variable.type());
    const Value next = mu * m - step;
    scope.Assign(m, next);
    return nesterov_ ? variable + (mu * next - step) : variable + next;
  }

 private:
  bool has_momentum_, nesterov_;
};

FUSEBOX_PLUGIN(Sgd,
               {.id = "fusebox/sgd",
                .doc = "Stochastic gradient descent, with or without momentum.",
                .attributes = {
                    sdk::Float("learning_rate", 0.01).Min(0).ProgramScalar().Doc("the size of a step"),
                    sdk::Float("momentum", 0.0).Range(0, 1).ProgramScalar().Doc("fraction of the last step to repeat"),
                    sdk::Bool("nesterov", false).Doc("applies the gradient after the momentum"),
                }});

}  // namespace
}  // namespace fusebox
