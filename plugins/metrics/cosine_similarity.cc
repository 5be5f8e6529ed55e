// SPDX-License-Identifier: Apache-2.0
// The mean over the epoch so far of the cosine of the angle between y_true and y_pred: the loss of this name, but 1 where
// they agree.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class CosineSimilarity final : public sdk::Metric {
 public:
  explicit CosineSimilarity(const sdk::Attributes& attributes)
      : loss_(fmt::format("cosine_similarity:axis={}", attributes.Int("axis"))) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(-scope.Loss(loss_, y_true, y_pred));
  }

 private:
  std::string loss_;
};

FUSEBOX_PLUGIN(CosineSimilarity, {.id = "fusebox/cosine_similarity",
                                  .doc = "Cosine of the angle between y_true and y_pred.",
                                  .attributes = {sdk::Int("axis", -1).Doc("along which the vectors lie")}});

}  // namespace
}  // namespace fusebox
