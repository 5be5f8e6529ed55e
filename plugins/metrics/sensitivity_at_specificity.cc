// SPDX-License-Identifier: Apache-2.0
// Highest sensitivity among the thresholds with at least the given specificity, over the epoch so far; 0 if there is
// none.
//     y_true, y_pred [N, ...]
#include "fusebox/plugins/metrics/curve.h"

namespace fusebox {
namespace {

class SensitivityAtSpecificity final : public sdk::Metric {
 public:
  explicit SensitivityAtSpecificity(const sdk::Attributes& attributes) : best_(attributes, "specificity") {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Curve curve = best_.CurveOf(scope, y_true, y_pred);
    if (!curve.ok()) return {};
    return best_.Best(curve.Recall(), curve.Specificity());
  }

 private:
  BestWhere best_;
};

FUSEBOX_PLUGIN(SensitivityAtSpecificity,
               {.id = "fusebox/sensitivity_at_specificity",
                .doc = "Highest sensitivity at thresholds with at least the given specificity.",
                .attributes = {sdk::Float("specificity").Range(0, 1).Doc("minimum specificity"), kNumThresholds,
                               kClassId}});

}  // namespace
}  // namespace fusebox
