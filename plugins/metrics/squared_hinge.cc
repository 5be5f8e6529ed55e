// SPDX-License-Identifier: Apache-2.0
// Mean of the loss squared_hinge over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class SquaredHinge final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("squared_hinge", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(SquaredHinge, {.id = "fusebox/squared_hinge", .doc = "Mean of max(1 - y_true y_pred, 0)^2."});

}  // namespace
}  // namespace fusebox
