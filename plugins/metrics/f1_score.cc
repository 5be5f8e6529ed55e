// SPDX-License-Identifier: Apache-2.0
// F1 score over the epoch so far: the F-beta score with beta = 1. See fbeta.h.
#include "fusebox/plugins/metrics/fbeta.h"

namespace fusebox {
namespace {

class F1Score final : public sdk::Metric {
 public:
  explicit F1Score(const sdk::Attributes& attributes) : score_(attributes, 1) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return score_.Update(scope, y_true, y_pred);
  }

 private:
  FBeta score_;
};

FUSEBOX_PLUGIN(F1Score, {.id = "fusebox/f1_score",
                         .doc = "Harmonic mean of precision and recall.",
                         .attributes = {kAverage, kFThreshold}});

}  // namespace
}  // namespace fusebox
