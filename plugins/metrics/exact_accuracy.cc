// SPDX-License-Identifier: Apache-2.0
// How often y_pred is y_true, as numbers, over the epoch so far: Keras's class Accuracy. (What its string "accuracy" means
// is another metric, of that name.)
//     y_true, y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class ExactAccuracy final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return scope.RunningMean(Cast(Equal(target, predicted), FB_F32));
  }
};

FUSEBOX_PLUGIN(ExactAccuracy, {.id = "fusebox/exact_accuracy", .doc = "How often y_pred equals y_true."});

}  // namespace
}  // namespace fusebox
