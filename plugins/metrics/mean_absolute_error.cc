// SPDX-License-Identifier: Apache-2.0
// Mean of the loss mean_absolute_error over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class MeanAbsoluteError final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("mean_absolute_error", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(MeanAbsoluteError, {.id = "fusebox/mean_absolute_error", .doc = "Mean of |y_true - y_pred|."});

}  // namespace
}  // namespace fusebox
