// SPDX-License-Identifier: Apache-2.0
// 1 minus the Tversky index of two sets, an overlap of truth and prediction that weights false negatives and false
// positives separately:
//     y_true, y_pred [N, ...]   degree to which each element belongs to the set, 0 to 1
//     1 - both / (both + alpha sum(y_true (1 - y_pred)) + beta sum(y_pred (1 - y_true)) + 1e-7),
//     both = sum(y_true y_pred)
// alpha = beta = 1/2 is the Dice coefficient. The sums run over the given axes, or over the whole batch if none are
// given.
// Source: Salehi, Erdogmus, Gholipour (2017), Tversky Loss Function for Image Segmentation.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Tversky final : public sdk::Loss {
 public:
  explicit Tversky(const sdk::Attributes& attributes)
      : alpha_(attributes.Float("alpha")), beta_(attributes.Float("beta")), axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value both = SumAlong(target * predicted, axes_);
    const Value missed = SumAlong((1 - predicted) * target, axes_);
    const Value false_alarms = SumAlong(predicted * (1 - target), axes_);
    return ForEachSample(1 - both / (both + missed * alpha_ + false_alarms * beta_ + kEpsilon), predicted);
  }

 private:
  double alpha_, beta_;
  Dims axes_;
};

FUSEBOX_PLUGIN(Tversky,
               {.id = "fusebox/tversky",
                .doc = "1 minus the Tversky index, a weighted overlap of y_true and y_pred.",
                .attributes = {sdk::Float("alpha", 0.5).Doc("weight of false negatives"),
                               sdk::Float("beta", 0.5).Doc("weight of false positives"),
                               sdk::OptionalInts("axis").Doc("axes of the sums; none: all, including the batch"),
                               kReduction}});

}  // namespace
}  // namespace fusebox
