// SPDX-License-Identifier: Apache-2.0
// Kullback-Leibler divergence of the distributions y_pred from y_true, in nats:
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]: the sum of y_true log(y_true / y_pred)
// Both are clipped to [1e-7, 1].
// Source: Kullback, Leibler (1951), On Information and Sufficiency.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class KLDivergence final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value p = Clipped(target, kEpsilon, 1), q = Clipped(predicted, kEpsilon, 1);
    return Sum(p * Log(p / q), {-1});
  }
};

FUSEBOX_PLUGIN(KLDivergence, {.id = "fusebox/kl_divergence",
                              .doc = "Sum of y_true log(y_true / y_pred) over the last axis.",
                              .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
