// SPDX-License-Identifier: Apache-2.0
// Divides the gradient by its root mean square. With variable w, gradient g, learning rate lr:
//     v <- rho v + (1 - rho) g^2,   s = lr g / sqrt(v + epsilon)
//     centered       a <- rho a + (1 - rho) g,   s = lr g / sqrt(v - a^2 + epsilon)
//     momentum mu    m <- mu m + s,   w <- w - m;      without   w <- w - s
// Old versions of Keras, if there is no momentum, add epsilon to the root: s = lr g / (sqrt(v) + epsilon).
// Sources: Hinton (2012), Neural networks for machine learning, lecture 6; Graves (2013), Generating sequences with
// recurrent neural networks, section 4.2 (centered); in Keras's form.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class RmsProp final : public sdk::Optimizer {
 public:
  explicit RmsProp(const sdk::Attributes& attributes)
      : has_momentum_(attributes.Float("momentum") > 0),
        centered_(attributes.Bool("centered")),
        outside_(attributes.Bool("epsilon_outside_root")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value rho = scope.Scalar("rho");
    const auto average = [&](const char* name, Value of, uint32_t order) {
      const Value slot = scope.Slot(name, of.type(), "zeros", order);
      const Value next = rho * slot + (1 - rho) * of;
      scope.Assign(slot, next);
      return next;
    };
    Value variance = average("velocity", Square(gradient), 0);
    if (centered_) variance = variance - Square(average("average_gradient", gradient, 2));
    const Value epsilon = scope.Scalar("epsilon");
    const Value root = outside_ ? Sqrt(variance) + epsilon : Sqrt(variance + epsilon);
    const Value step = learning_rate * gradient / root;
    if (!has_momentum_) return variable - step;
    const Value m = scope.Slot("momentum", variable.type(), "zeros", 1);
    const Value next = scope.Scalar("momentum") * m + step;
    scope.Assign(m, next);
    return variable - next;
  }

 private:
  bool has_momentum_, centered_, outside_;
};

FUSEBOX_PLUGIN(
    RmsProp, {.id = "fusebox/rmsprop",
              .doc = "Divides the gradient by its root mean square.",
              .attributes = {
                  sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                  sdk::Float("rho", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean square"),
                  sdk::Float("momentum", 0.0).Range(0, 1).ProgramScalar().Doc("fraction of the last step to repeat"),
                  sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the mean square"),
                  sdk::Bool("centered", false).Doc("divides by the standard deviation instead of the root mean square"),
                  sdk::Bool("epsilon_outside_root", false).Doc("adds epsilon to the root, not below it"),
              }});

}  // namespace
}  // namespace fusebox
