// SPDX-License-Identifier: Apache-2.0
// Which part of what is true is predicted. Of no such elements it is 0. Over the epoch so far.
#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {
namespace {

class Recall final : public sdk::Metric {
 public:
  explicit Recall(const sdk::Attributes& attributes) : answers_(attributes, true) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Answers::Batch batch = answers_.Of(scope, y_true, y_pred);
    if (!batch.ok()) return {};
    const Value hits = Counted(scope, "true_positives", And(batch.is_true, batch.says_true));
    const Value others = Counted(scope, "false_negatives", And(batch.is_true, Not(batch.says_true)));
    return Narrow(DivideNoNan(hits, hits + others));
  }

 private:
  Answers answers_;
};

FUSEBOX_PLUGIN(Recall, {.id = "fusebox/recall",
                        .doc = "Which part of what is true is predicted.",
                        .attributes = {kThresholds, kTopK, kClassId}});

}  // namespace
}  // namespace fusebox
