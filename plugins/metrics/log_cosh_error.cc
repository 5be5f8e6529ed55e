// SPDX-License-Identifier: Apache-2.0
// Mean of the loss log_cosh over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class LogCoshError final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("log_cosh", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(LogCoshError, {.id = "fusebox/log_cosh_error", .doc = "Mean of log(cosh(y_pred - y_true))."});

}  // namespace
}  // namespace fusebox
