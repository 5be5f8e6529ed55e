// SPDX-License-Identifier: Apache-2.0
// 100 |(y_true - y_pred) / y_true|, averaged over the last axis. The divisor is at least 1e-7:
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...], in percent
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class MeanAbsolutePercentageError final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return 100 * MeanOfLastAxis(Abs((target - predicted) / Max(Abs(target), kEpsilon)));
  }
};

FUSEBOX_PLUGIN(MeanAbsolutePercentageError, {.id = "fusebox/mean_absolute_percentage_error",
                                             .doc = "Mean of 100 |(y_true - y_pred) / y_true| over the last axis.",
                                             .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
