// SPDX-License-Identifier: Apache-2.0
// Concordance correlation of y_true and y_pred along an axis, averaged over the epoch so far. Unlike Pearson's, it is 1
// only where they are equal.
//     y_true, y_pred [N, ..., C]
//     2 mean((y_true - mean(y_pred)) (y_pred - mean(y_pred)))
//         / (var(y_true) + var(y_pred) + (mean(y_true) - mean(y_pred))^2)
// As in Keras, 1e-7 is added to the divisor, and both factors use the mean of y_pred: the mean of y_true would give the
// same.
// Source: Lin (1989), A Concordance Correlation Coefficient to Evaluate Reproducibility.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class ConcordanceCorrelation final : public sdk::Metric {
 public:
  explicit ConcordanceCorrelation(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const auto mean = [&](Value y) { return Mean(y, {axis_}, true); };
    const Value true_mean = mean(target), mean_pred = mean(predicted);
    const Value variances = mean(Square(target - true_mean)) + mean(Square(predicted - mean_pred));
    const Value covariance = (target - mean_pred) * (predicted - mean_pred);
    const Value norm = variances + Square(true_mean - mean_pred);
    return scope.RunningMean(Mean(2 * covariance / (norm + kEpsilon), {axis_}));
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(ConcordanceCorrelation,
               {.id = "fusebox/concordance_correlation",
                .doc = "Mean of the concordance correlation of y_true and y_pred along an axis.",
                .attributes = {sdk::Int("axis", -1).Doc("axis along which to correlate")}});

}  // namespace
}  // namespace fusebox
