// SPDX-License-Identifier: Apache-2.0
// Mean of the loss hinge over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class Hinge final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("hinge", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(Hinge, {.id = "fusebox/hinge", .doc = "Mean of max(1 - y_true y_pred, 0)."});

}  // namespace
}  // namespace fusebox
