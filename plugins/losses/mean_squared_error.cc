// SPDX-License-Identifier: Apache-2.0
// (y_true - y_pred)^2, averaged over the last axis:
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
// As in Keras, y_true may lack a last axis of size 1, or have an additional one.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class MeanSquaredError final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return MeanOfLastAxis(Square(predicted - target));
  }
};

FUSEBOX_PLUGIN(MeanSquaredError, {.id = "fusebox/mean_squared_error",
                                  .doc = "Mean of (y_true - y_pred)^2 over the last axis.",
                                  .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
