// SPDX-License-Identifier: Apache-2.0
// Mean of the loss poisson over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class Poisson final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("poisson", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(Poisson, {.id = "fusebox/poisson", .doc = "Mean of y_pred - y_true log(y_pred)."});

}  // namespace
}  // namespace fusebox
