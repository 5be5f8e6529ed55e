// SPDX-License-Identifier: Apache-2.0
// Fraction of correct yes-or-no predictions over the epoch so far: (y_pred > threshold) == y_true.
//     y_true, y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class BinaryAccuracy final : public sdk::Metric {
 public:
  explicit BinaryAccuracy(const sdk::Attributes& attributes) : threshold_(attributes.Float("threshold")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return scope.RunningMean(Cast(Equal(Cast(Greater(predicted, threshold_), target.dtype()), target), FB_F32));
  }

 private:
  double threshold_;
};

FUSEBOX_PLUGIN(BinaryAccuracy, {.id = "fusebox/binary_accuracy",
                                .doc = "Fraction of predictions where y_pred > threshold equals y_true.",
                                .attributes = {sdk::Float("threshold", 0.5).Doc("predictions above it are a yes")}});

}  // namespace
}  // namespace fusebox
