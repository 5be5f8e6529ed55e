// SPDX-License-Identifier: Apache-2.0
// Fraction of samples whose highest score is that of the true class, over the epoch so far. Among equal scores, the
// first counts as the highest.
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

FUSEBOX_PLUGIN(CategoricalAccuracy,
               {.id = "fusebox/categorical_accuracy",
                .doc = "Fraction of samples where the maximum of y_pred is at the class of one-hot y_true."});

}  // namespace
}  // namespace fusebox
