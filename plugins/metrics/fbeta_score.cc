// SPDX-License-Identifier: Apache-2.0
// F-beta score over the epoch so far: see fbeta.h.
#include "fusebox/plugins/metrics/fbeta.h"

namespace fusebox {
namespace {

class FBetaScore final : public sdk::Metric {
 public:
  explicit FBetaScore(const sdk::Attributes& attributes) : score_(attributes, attributes.Float("beta")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return score_.Update(scope, y_true, y_pred);
  }

 private:
  FBeta score_;
};

FUSEBOX_PLUGIN(FBetaScore, {.id = "fusebox/fbeta_score",
                            .doc = "Harmonic mean of precision and recall, with recall weighted beta^2 times as much.",
                            .attributes = {kAverage, sdk::Float("beta", 1).Doc("weight of recall"), kFThreshold}});

}  // namespace
}  // namespace fusebox
