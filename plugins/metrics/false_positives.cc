// SPDX-License-Identifier: Apache-2.0
// Number of false positives (a "yes" that is wrong), or the sum of their samples' weights, over the epoch so far.
#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {
namespace {

class FalsePositives final : public sdk::Metric {
 public:
  explicit FalsePositives(const sdk::Attributes& attributes) : answers_(attributes) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Answers::Batch batch = answers_.Of(scope, y_true, y_pred);
    if (!batch.ok()) return {};
    return Narrow(Counted(scope, "accumulator", batch, false, true));
  }

 private:
  Answers answers_;
};

FUSEBOX_PLUGIN(FalsePositives,
               {.id = "fusebox/false_positives", .doc = "Number of false positives.", .attributes = {kThresholds}});

}  // namespace
}  // namespace fusebox
