// SPDX-License-Identifier: Apache-2.0
// Mean of the loss mean_squared_logarithmic_error over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class MeanSquaredLogarithmicError final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("mean_squared_logarithmic_error", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(MeanSquaredLogarithmicError, {.id = "fusebox/mean_squared_logarithmic_error",
                                             .doc = "Mean of (log(1 + y_true) - log(1 + y_pred))^2."});

}  // namespace
}  // namespace fusebox
