// SPDX-License-Identifier: Apache-2.0
// Pearson correlation of y_true and y_pred along an axis, averaged over the epoch so far.
//     y_true, y_pred [N, ..., C]
// NaN if either is constant along the axis.
// Source: Pearson (1896), Regression, Heredity, and Panmixia.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class PearsonCorrelation final : public sdk::Metric {
 public:
  explicit PearsonCorrelation(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const auto standard = [&](Value y) {
      const Value centred = y - Mean(y, {axis_}, true);
      return centred / Sqrt(Mean(Square(centred), {axis_}, true));
    };
    return scope.RunningMean(Mean(standard(target) * standard(predicted), {axis_}));
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(PearsonCorrelation, {.id = "fusebox/pearson_correlation",
                                    .doc = "Mean Pearson correlation of y_true and y_pred along an axis.",
                                    .attributes = {sdk::Int("axis", -1).Doc("axis along which to correlate")}});

}  // namespace
}  // namespace fusebox
