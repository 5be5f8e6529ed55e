// SPDX-License-Identifier: Apache-2.0
// Sum of y_true over the epoch so far, weighted by y_pred: the result of Keras's Sum, which takes values and weights,
// for these two.
//     y_true, y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class SumMetric final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value weighed = Cast(target, FB_F64) * Cast(predicted, FB_F64);
    return Narrow(scope.Accumulated("total", Sum(weighed, sdk::AllAxes(weighed))));
  }
};

FUSEBOX_PLUGIN(SumMetric, {.id = "fusebox/sum", .doc = "Sum of y_true, weighted by y_pred."});

}  // namespace
}  // namespace fusebox
