// SPDX-License-Identifier: Apache-2.0
// Fraction of samples whose highest score is that of the true class, over the epoch so far. Among equal scores, the
// first counts as the highest.
//     y_true [N, ...] or [N, ..., 1]   class in [0, C)
//     y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class SparseCategoricalAccuracy final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [labels, predicted] = sdk::ClassTargets(scope, y_true, y_pred, "categorical_accuracy");
    if (!predicted.ok()) return {};
    const Value chosen = ArgMax(predicted, -1);
    return scope.RunningMean(Cast(Equal(chosen, Reshape(labels, chosen.dims())), FB_F32));
  }
};

FUSEBOX_PLUGIN(SparseCategoricalAccuracy,
               {.id = "fusebox/sparse_categorical_accuracy",
                .doc = "Fraction of samples where the maximum of y_pred is at the class y_true.",
                .class_labels = true});

}  // namespace
}  // namespace fusebox
