// SPDX-License-Identifier: Apache-2.0
// Mean of |y_true - y_pred| / normalizer over the epoch so far; 0 where the normalizer is 0.
//     y_true, y_pred [N, ..., C]   normalizer: one number, or one for each index of the last axis
// Source: the metric of this name that Keras had before version 3.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class MeanRelativeError final : public sdk::Metric {
 public:
  explicit MeanRelativeError(const sdk::Attributes& attributes) : normalizer_(attributes.Floats("normalizer")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const int64_t count = int64_t(normalizer_.size());
    if (count != 1 && count != predicted.dim(-1)) {
      return scope.Error("expects a normalizer of 1 number, or {} for {}, got {}", predicted.dim(-1), y_pred.type(),
                         count);
    }
    const Value error = Cast(Abs(target - predicted), FB_F64);
    return scope.RunningMean(DivideNoNan(error, Vector(scope, normalizer_)));
  }

 private:
  std::vector<double> normalizer_;
};

FUSEBOX_PLUGIN(MeanRelativeError,
               {.id = "fusebox/mean_relative_error",
                .doc = "Mean of |y_true - y_pred| / normalizer.",
                .attributes = {
                    sdk::Floats("normalizer").Doc("divisors of the errors: one number, or one for each output")}});

}  // namespace
}  // namespace fusebox
