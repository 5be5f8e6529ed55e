// SPDX-License-Identifier: Apache-2.0
// The perceptron rule as a loss: for each unit 0 if it is right, otherwise the distance of its sum z from the
// threshold,
//     loss = sum over units of max(-t z, 0),  t = 2 y_true - 1
//     y_true 0 or 1, y_pred = heaviside(z), both [N, ..., units]  -->  loss [N, ...]
// No gradient passes the step function, so the loss uses its input. A sum of 0 counts as a mistake for either class, so
// training starts even if all weights are 0. With a rate r, gradient descent on one sample at a time changes weights
// only on a mistake, w <- w + r t x, which is the rule.
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
    if (!sums.ok()) return scope.Error("expects the output of the activation heaviside, got {}", y_pred.type());
    const Value margin = (2 * target - 1) * Reshape(sums, predicted.dims());
    return Sum(Select(LessEqual(margin, 0), -margin, 0), {-1});
  }
};

FUSEBOX_PLUGIN(Perceptron, {.id = "fusebox/perceptron",
                            .doc = "The perceptron rule: max(-t z, 0) of heaviside(z), t = 2 y_true - 1.",
                            .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
