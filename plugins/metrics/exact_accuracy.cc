// SPDX-License-Identifier: Apache-2.0
// Fraction of elements where y_pred equals y_true as numbers, over the epoch so far: Keras's class Accuracy. (Keras's
// string "accuracy" means another metric, our `accuracy`.)
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

FUSEBOX_PLUGIN(ExactAccuracy,
               {.id = "fusebox/exact_accuracy", .doc = "Fraction of elements where y_pred equals y_true."});

}  // namespace
}  // namespace fusebox
