// SPDX-License-Identifier: Apache-2.0
// Fraction of samples whose true class is among the k highest scores, that is, fewer than k scores are higher, over the
// epoch so far.
//     y_true, y_pred [N, ..., C]
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class TopKCategoricalAccuracy final : public sdk::Metric {
 public:
  explicit TopKCategoricalAccuracy(const sdk::Attributes& attributes) : k_(attributes.Int("k")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::OneHotTargets(scope, y_true, y_pred, "sparse_top_k_categorical_accuracy");
    if (!predicted.ok()) return {};
    Dims column = predicted.dims();
    column.back() = 1;
    return scope.RunningMean(Cast(InTopK(predicted, Reshape(ArgMax(target, -1), column), k_), FB_F32));
  }

 private:
  int64_t k_;
};

FUSEBOX_PLUGIN(TopKCategoricalAccuracy,
               {.id = "fusebox/top_k_categorical_accuracy",
                .doc = "Fraction of samples where the class of one-hot y_true is among the k highest of y_pred.",
                .attributes = {sdk::Int("k", 5).Min(1).Doc("number of highest classes that count")}});

}  // namespace
}  // namespace fusebox
