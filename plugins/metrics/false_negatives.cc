// SPDX-License-Identifier: Apache-2.0
// Number of false negatives (a "no" that is wrong), or the sum of their samples' weights, over the epoch so far.
#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {
namespace {

class FalseNegatives final : public sdk::Metric {
 public:
  explicit FalseNegatives(const sdk::Attributes& attributes) : answers_(attributes) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Answers::Batch batch = answers_.Of(scope, y_true, y_pred);
    if (!batch.ok()) return {};
    return Narrow(Counted(scope, "accumulator", batch, true, false));
  }

 private:
  Answers answers_;
};

FUSEBOX_PLUGIN(FalseNegatives,
               {.id = "fusebox/false_negatives", .doc = "Number of false negatives.", .attributes = {kThresholds}});

}  // namespace
}  // namespace fusebox
