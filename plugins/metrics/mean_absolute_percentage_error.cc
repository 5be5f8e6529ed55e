// SPDX-License-Identifier: Apache-2.0
// Mean of the loss mean_absolute_percentage_error over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class MeanAbsolutePercentageError final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("mean_absolute_percentage_error", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(MeanAbsolutePercentageError,
               {.id = "fusebox/mean_absolute_percentage_error", .doc = "Mean of 100 |(y_true - y_pred) / y_true|."});

}  // namespace
}  // namespace fusebox
