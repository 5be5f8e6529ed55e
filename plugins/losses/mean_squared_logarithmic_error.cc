// SPDX-License-Identifier: Apache-2.0
// (log(1 + y_true) - log(1 + y_pred))^2, averaged over the last axis. Values below 1e-7 count as 1e-7:
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class MeanSquaredLogarithmicError final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const auto log = [](Value y) { return Log(Max(y, kEpsilon) + 1); };
    return MeanOfLastAxis(Square(log(predicted) - log(target)));
  }
};

FUSEBOX_PLUGIN(MeanSquaredLogarithmicError, {.id = "fusebox/mean_squared_logarithmic_error",
                                             .doc = "Mean of (log(1 + y_true) - log(1 + y_pred))^2 over the last axis.",
                                             .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
