// SPDX-License-Identifier: Apache-2.0
// Highest specificity among the thresholds with at least the given sensitivity, over the epoch so far; 0 if there is
// none.
//     y_true, y_pred [N, ...]
#include "fusebox/plugins/metrics/curve.h"

namespace fusebox {
namespace {

class SpecificityAtSensitivity final : public sdk::Metric {
 public:
  explicit SpecificityAtSensitivity(const sdk::Attributes& attributes) : best_(attributes, "sensitivity") {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Curve curve = best_.CurveOf(scope, y_true, y_pred);
    if (!curve.ok()) return {};
    return best_.Best(curve.Specificity(), curve.Recall());
  }

 private:
  BestWhere best_;
};

FUSEBOX_PLUGIN(SpecificityAtSensitivity,
               {.id = "fusebox/specificity_at_sensitivity",
                .doc = "Highest specificity at thresholds with at least the given sensitivity.",
                .attributes = {sdk::Float("sensitivity").Range(0, 1).Doc("minimum sensitivity"), kNumThresholds,
                               kClassId}});

}  // namespace
}  // namespace fusebox
