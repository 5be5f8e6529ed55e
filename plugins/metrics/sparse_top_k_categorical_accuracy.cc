// SPDX-License-Identifier: Apache-2.0
// Fraction of samples whose true class is among the k highest scores, that is, fewer than k scores are higher, over the
// epoch so far.
//     y_true [N, ...] or [N, ..., 1]   class in [0, C)
//     y_pred [N, ..., C]               scores; or, with from_sorted_ids, classes, the likeliest first
#include <algorithm>

#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class SparseTopKCategoricalAccuracy final : public sdk::Metric {
 public:
  explicit SparseTopKCategoricalAccuracy(const sdk::Attributes& attributes)
      : k_(attributes.Int("k")), sorted_ids_(attributes.Bool("from_sorted_ids")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [labels, predicted] = sdk::ClassTargets(scope, y_true, y_pred, "top_k_categorical_accuracy");
    if (!predicted.ok()) return {};
    if (!sorted_ids_) return scope.RunningMean(Cast(InTopK(predicted, labels, k_), FB_F32));
    const Value first = Slice(predicted, -1, 0, std::min(k_, predicted.dim(-1)));
    return scope.RunningMean(ReduceMax(Cast(Equal(first, Cast(labels, first.dtype())), FB_F32), {-1}));
  }

 private:
  int64_t k_;
  bool sorted_ids_;
};

FUSEBOX_PLUGIN(SparseTopKCategoricalAccuracy,
               {.id = "fusebox/sparse_top_k_categorical_accuracy",
                .doc = "Fraction of samples where the class y_true is among the k highest of y_pred.",
                .class_labels = true,
                .attributes = {
                    sdk::Int("k", 5).Min(1).Doc("number of highest classes that count"),
                    sdk::Bool("from_sorted_ids", false).Doc("y_pred holds class indices, the most likely first")}});

}  // namespace
}  // namespace fusebox
