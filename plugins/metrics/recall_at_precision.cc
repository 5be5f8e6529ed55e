// SPDX-License-Identifier: Apache-2.0
// Highest recall among the thresholds with at least the given precision, over the epoch so far; 0 if there is none.
//     y_true, y_pred [N, ...]
#include "fusebox/plugins/metrics/curve.h"

namespace fusebox {
namespace {

class RecallAtPrecision final : public sdk::Metric {
 public:
  explicit RecallAtPrecision(const sdk::Attributes& attributes) : best_(attributes, "precision") {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Curve curve = best_.CurveOf(scope, y_true, y_pred);
    if (!curve.ok()) return {};
    return best_.Best(curve.Recall(), curve.Precision());
  }

 private:
  BestWhere best_;
};

FUSEBOX_PLUGIN(RecallAtPrecision, {.id = "fusebox/recall_at_precision",
                                   .doc = "Highest recall at thresholds with at least the given precision.",
                                   .attributes = {sdk::Float("precision").Range(0, 1).Doc("minimum precision"),
                                                  kNumThresholds, kClassId}});

}  // namespace
}  // namespace fusebox
