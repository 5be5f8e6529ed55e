// SPDX-License-Identifier: Apache-2.0
// Mean cosine of the angle between y_true and y_pred over the epoch so far. The opposite of the loss of this name: 1
// where they agree.
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
                                  .attributes = {sdk::Int("axis", -1).Doc("axis of the vectors")}});

}  // namespace
}  // namespace fusebox
