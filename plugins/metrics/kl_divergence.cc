// SPDX-License-Identifier: Apache-2.0
// Mean of the loss kl_divergence over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class KLDivergence final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("kl_divergence", y_true, y_pred));
  }
};

FUSEBOX_PLUGIN(KLDivergence,
               {.id = "fusebox/kl_divergence", .doc = "Kullback-Leibler divergence of y_pred from y_true, in nats."});

}  // namespace
}  // namespace fusebox
