// SPDX-License-Identifier: Apache-2.0
// The best precision among the thresholds at which the recall is high enough; 0 if there is none. Over the epoch so far.
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

FUSEBOX_PLUGIN(PrecisionAtRecall, {.id = "fusebox/precision_at_recall",
                                   .doc = "The best precision where the recall is at least so high.",
                                   .attributes = {sdk::Float("recall").Range(0, 1).Doc("the least that will do"),
                                                  kNumThresholds, kClassId}});

}  // namespace
}  // namespace fusebox
