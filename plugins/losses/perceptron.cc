// SPDX-License-Identifier: Apache-2.0
// The perceptron's rule, as what is to become small: for each unit 0 where it is right, else how far its sum z is off,
//     loss = sum over units of max(-t z, 0),  t = 2 y_true - 1
//     y_true 0 or 1, y_pred = heaviside(z), both [N, ..., units]  -->  loss [N, ...]
// No gradient passes a step, so it works from what the step is made of. A sum of 0 counts as a mistake, of either class:
// so training begins where all weights are 0. With a rate r, gradient descent on one instance at a time changes weights on
// a mistake alone, w <- w + r t x, which is the rule.
// Source: Rosenblatt (1958), The perceptron.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Perceptron final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value sums = scope.LogitsOf(y_pred, "fusebox/heaviside");
    if (!sums.ok()) return scope.Error("expects an output that the activation heaviside makes, got {}", y_pred.type());
    const Value margin = (2 * target - 1) * Reshape(sums, predicted.dims());
    return Sum(Select(LessEqual(margin, 0), -margin, 0), {-1});
  }
};

FUSEBOX_PLUGIN(Perceptron, {.id = "fusebox/perceptron",
                            .doc = "The perceptron's rule: max(-t z, 0) of heaviside(z), t = 2 y_true - 1.",
                            .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
