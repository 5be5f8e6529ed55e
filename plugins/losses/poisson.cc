// SPDX-License-Identifier: Apache-2.0
// y_pred - y_true log(y_pred + 1e-7), averaged over the last axis: the negative log-likelihood of counts y_true under
// Poisson distributions of mean y_pred, without the terms that depend on y_true only.
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Poisson final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return MeanOfLastAxis(predicted - target * Log(predicted + kEpsilon));
  }
};

FUSEBOX_PLUGIN(Poisson, {.id = "fusebox/poisson",
                         .doc = "Mean of y_pred - y_true log(y_pred) over the last axis.",
                         .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
