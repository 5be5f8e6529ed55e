// SPDX-License-Identifier: Apache-2.0
// Highest precision among the thresholds with at least the given recall, over the epoch so far; 0 if there is none.
//     y_true, y_pred [N, ...]
#include "fusebox/plugins/metrics/curve.h"

namespace fusebox {
namespace {

class PrecisionAtRecall final : public sdk::Metric {
 public:
  explicit PrecisionAtRecall(const sdk::Attributes& attributes) : best_(attributes, "recall") {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Curve curve = best_.CurveOf(scope, y_true, y_pred);
    if (!curve.ok()) return {};
    return best_.Best(curve.Precision(), curve.Recall());
  }

 private:
  BestWhere best_;
};

FUSEBOX_PLUGIN(PrecisionAtRecall,
               {.id = "fusebox/precision_at_recall",
                .doc = "Highest precision at thresholds with at least the given recall.",
                .attributes = {sdk::Float("recall").Range(0, 1).Doc("minimum recall"), kNumThresholds, kClassId}});

}  // namespace
}  // namespace fusebox
