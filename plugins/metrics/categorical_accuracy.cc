// SPDX-License-Identifier: Apache-2.0
// How often the class of the greatest score is the true one, over the epoch so far. Of equal scores, the first counts.
//     y_true, y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class CategoricalAccuracy final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::OneHotTargets(scope, y_true, y_pred, "sparse_categorical_accuracy");
    if (!predicted.ok()) return {};
    return scope.RunningMean(Cast(Equal(ArgMax(predicted, -1), ArgMax(target, -1)), FB_F32));
  }
};

FUSEBOX_PLUGIN(CategoricalAccuracy, {.id = "fusebox/categorical_accuracy",
                                     .doc = "How often the greatest of y_pred is the class of one-hot y_true."});

}  // namespace
}  // namespace fusebox
