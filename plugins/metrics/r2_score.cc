// SPDX-License-Identifier: Apache-2.0
// Coefficient of determination over the epoch so far: 1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2) for
// each output, then averaged over outputs, uniformly or weighted by the divisors, or not. An output that never changes
// counts as 0.
//     y_true, y_pred [N, C]
// With num_regressors p, the adjusted score 1 - (1 - R^2) (n - 1) / (n - p - 1) of n numbers, once n - 1 exceeds p.
// Source: Draper, Smith (1998), Applied Regression Analysis.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class R2Score final : public sdk::Metric {
 public:
  explicit R2Score(const sdk::Attributes& attributes)
      : aggregation_(attributes.String("class_aggregation")), regressors_(attributes.Int("num_regressors")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    if (predicted.rank() != 2) return scope.Error("expects predictions [batch, outputs], got {}", y_pred.type());
    const bool weighted = aggregation_ == "variance_weighted_average";
    if (!weighted && aggregation_ != "uniform_average" && aggregation_ != "none") {
      return scope.Error("expects class_aggregation uniform_average, variance_weighted_average or none, got '{}'",
                         aggregation_);
    }
    const Value y = Cast(target, FB_F64), w = Weighed(scope, OnesLike(scope, target));
    const Value sum = scope.Accumulated("sum", Sum(y * w, {0}));
    const Value squared_sum = scope.Accumulated("squared_sum", Sum(y * y * w, {0}));
    const Value residual = scope.Accumulated("residual", Sum(Square(y - Cast(predicted, FB_F64)) * w, {0}));
    const Value count = scope.Accumulated("count", Sum(w, {0}));
    const Value total = squared_sum - sum * DivideNoNan(sum, count);
    const Value scores = Select(Equal(total, 0), 0, 1 - DivideNoNan(residual, total));
    Value score = scores;
    if (weighted) {
      score = DivideNoNan(Sum(total * scores, {0}), Sum(total, {0}));
    } else if (aggregation_ != "none" || scores.dim(0) == 1) {
      score = Mean(scores, {0});
    }
    if (regressors_ != 0) {
      const double p = double(regressors_);
      const Value n = scope.Accumulated("num_samples", Extent(y, {0, 1}));
      score = Select(Less(p + 1, n), 1 - (1 - score) * (n - 1) / (n - p - 1), score);
    }
    return Narrow(score);
  }

 private:
  std::string aggregation_;
  int64_t regressors_;
};

FUSEBOX_PLUGIN(
    R2Score,
    {.id = "fusebox/r2_score",
     .doc = "Coefficient of determination, R^2: 1 is perfect, 0 no better than the mean.",
     .attributes = {
         sdk::String("class_aggregation", "uniform_average")
             .Doc("average over outputs: uniform_average, variance_weighted_average, or none: a score for each"),
         sdk::Int("num_regressors", 0).Min(0).Doc("number of independent variables, for the adjusted score")}});

}  // namespace
}  // namespace fusebox
