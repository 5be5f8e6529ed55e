// SPDX-License-Identifier: Apache-2.0
// Fraction of the predicted positives that are true, over the epoch so far; 0 if there are none.
#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {
namespace {

class Precision final : public sdk::Metric {
 public:
  explicit Precision(const sdk::Attributes& attributes) : answers_(attributes, true) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Answers::Batch batch = answers_.Of(scope, y_true, y_pred);
    if (!batch.ok()) return {};
    const Value hits = Counted(scope, "true_positives", batch, true, true);
    const Value others = Counted(scope, "false_positives", batch, false, true);
    return Narrow(DivideNoNan(hits, hits + others));
  }

 private:
  Answers answers_;
};

FUSEBOX_PLUGIN(Precision, {.id = "fusebox/precision",
                           .doc = "Fraction of predicted positives that are true.",
                           .attributes = {kThresholds, kTopK, kClassId}});

}  // namespace
}  // namespace fusebox
