// SPDX-License-Identifier: Apache-2.0
// Fraction of the true positives that are predicted, over the epoch so far; 0 if there are none.
#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {
namespace {

class Recall final : public sdk::Metric {
 public:
  explicit Recall(const sdk::Attributes& attributes) : answers_(attributes, true) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Answers::Batch batch = answers_.Of(scope, y_true, y_pred);
    if (!batch.ok()) return {};
    const Value hits = Counted(scope, "true_positives", batch, true, true);
    const Value others = Counted(scope, "false_negatives", batch, true, false);
    return Narrow(DivideNoNan(hits, hits + others));
  }

 private:
  Answers answers_;
};

FUSEBOX_PLUGIN(Recall, {.id = "fusebox/recall",
                        .doc = "Fraction of true elements that are predicted.",
                        .attributes = {kThresholds, kTopK, kClassId}});

}  // namespace
}  // namespace fusebox
