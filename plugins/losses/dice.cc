// SPDX-License-Identifier: Apache-2.0
// 1 minus the Dice coefficient of two sets, the overlap of truth and prediction:
//     y_true, y_pred [N, ...]   degree to which each element belongs to the set, 0 to 1
//     1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred) + 1e-7)
// The sums run over the given axes, or over the whole batch if none are given: then every sample has the same loss.
// Source: Milletari, Navab, Ahmadi (2016), V-Net.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Dice final : public sdk::Loss {
 public:
  explicit Dice(const sdk::Attributes& attributes) : axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value both = SumAlong(target * predicted, axes_);
    const Value dice = 2 * both / (SumAlong(target, axes_) + SumAlong(predicted, axes_) + kEpsilon);
    return ForEachSample(1 - dice, predicted);
  }

 private:
  Dims axes_;
};

FUSEBOX_PLUGIN(Dice, {.id = "fusebox/dice",
                      .doc = "1 minus the Dice coefficient, the overlap of y_true and y_pred.",
                      .attributes = {sdk::OptionalInts("axis").Doc("axes of the sums; none: all, including the batch"),
                                     kReduction}});

}  // namespace
}  // namespace fusebox
