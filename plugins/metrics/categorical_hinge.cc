// SPDX-License-Identifier: Apache-2.0
// Mean of the loss categorical_hinge over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class CategoricalHinge final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("categorical_hinge", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(CategoricalHinge,
               {.id = "fusebox/categorical_hinge",
                .doc = "Mean of max(neg - pos + 1, 0), the margin between the true class and the best other one."});

}  // namespace
}  // namespace fusebox
