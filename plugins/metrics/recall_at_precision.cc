// SPDX-License-Identifier: Apache-2.0
// The best recall among the thresholds at which the precision is high enough; 0 if there is none. Over the epoch so far.
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
                                   .doc = "The best recall where the precision is at least so high.",
                                   .attributes = {sdk::Float("precision").Range(0, 1).Doc("the least that will do"),
                                                  kNumThresholds, kClassId}});

}  // namespace
}  // namespace fusebox
