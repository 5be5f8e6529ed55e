// SPDX-License-Identifier: Apache-2.0
// e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, of e = y_pred - y_true, averaged over the last axis:
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
// Source: Huber (1964), Robust Estimation of a Location Parameter.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Huber final : public sdk::Loss {
 public:
  explicit Huber(const sdk::Attributes& attributes) : delta_(attributes.Float("delta")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value e = predicted - target, size = Abs(e);
    return MeanOfLastAxis(Select(LessEqual(size, delta_), 0.5 * Square(e), delta_ * size - 0.5 * delta_ * delta_));
  }

 private:
  double delta_;
};

FUSEBOX_PLUGIN(Huber, {.id = "fusebox/huber",
                       .doc = "Squared error where that is small, absolute error where it is large.",
                       .attributes = {sdk::Float("delta", 1).Min(0).Doc("error beyond which the loss is linear"),
                                      kReduction}});

}  // namespace
}  // namespace fusebox
