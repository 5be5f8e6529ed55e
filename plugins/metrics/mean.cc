// SPDX-License-Identifier: Apache-2.0
// Mean of y_true over the epoch so far, weighted by y_pred: the result of Keras's Mean, which takes values and weights,
// for these two. Other metrics average what a model predicts.
//     y_true, y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class MeanMetric final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Dims all = sdk::AllAxes(target);
    const Value weights = Cast(predicted, FB_F64);
    const Value total = scope.Accumulated("total", Sum(Cast(target, FB_F64) * weights, all));
    const Value count = scope.Accumulated("count", Sum(weights, all));
    return Narrow(DivideNoNan(total, count));
  }
};

FUSEBOX_PLUGIN(MeanMetric, {.id = "fusebox/mean", .doc = "Mean of y_true, weighted by y_pred."});

}  // namespace
}  // namespace fusebox
