// SPDX-License-Identifier: Apache-2.0
// Number of true positives (a "yes" that is right), or the sum of their samples' weights, over the epoch so far.
#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {
namespace {

class TruePositives final : public sdk::Metric {
 public:
  explicit TruePositives(const sdk::Attributes& attributes) : answers_(attributes) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Answers::Batch batch = answers_.Of(scope, y_true, y_pred);
    if (!batch.ok()) return {};
    return Narrow(Counted(scope, "accumulator", batch, true, true));
  }

 private:
  Answers answers_;
};

FUSEBOX_PLUGIN(TruePositives,
               {.id = "fusebox/true_positives", .doc = "Number of true positives.", .attributes = {kThresholds}});

}  // namespace
}  // namespace fusebox
