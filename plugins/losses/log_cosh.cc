// SPDX-License-Identifier: Apache-2.0
// log(cosh(e)) of e = y_pred - y_true, averaged over the last axis: e^2 / 2 for small e, |e| - log 2 for large ones.
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
// Computed as e + softplus(-2 e) - log 2, which does not overflow.
#include <numbers>

#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class LogCosh final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value e = predicted - target;
    return MeanOfLastAxis(e + Softplus(e * -2) - std::numbers::ln2);
  }
};

FUSEBOX_PLUGIN(LogCosh, {.id = "fusebox/log_cosh",
                         .doc = "Mean of log(cosh(y_pred - y_true)) over the last axis.",
                         .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
