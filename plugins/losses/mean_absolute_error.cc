// SPDX-License-Identifier: Apache-2.0
// |y_true - y_pred|, averaged over the last axis:
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
// The gradient where they are equal is 0.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class MeanAbsoluteError final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return MeanOfLastAxis(Abs(target - predicted));
  }
};

FUSEBOX_PLUGIN(MeanAbsoluteError, {.id = "fusebox/mean_absolute_error",
                                   .doc = "Mean of |y_true - y_pred| over the last axis.",
                                   .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
