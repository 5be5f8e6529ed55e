// SPDX-License-Identifier: Apache-2.0
// The best specificity among the thresholds at which the sensitivity is high enough; 0 if there is none. Over the epoch so far.
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
                .doc = "The best specificity where the sensitivity is at least so high.",
                .attributes = {sdk::Float("sensitivity").Range(0, 1).Doc("the least that will do"), kNumThresholds,
                               kClassId}});

}  // namespace
}  // namespace fusebox
