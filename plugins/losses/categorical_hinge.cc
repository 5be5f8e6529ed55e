// SPDX-License-Identifier: Apache-2.0
// max(neg - pos + 1, 0), where pos is the score of the true class and neg the best score of the others:
//     y_true [N, ..., C]   one-hot
//     y_pred [N, ..., C]   scores
//     loss   [N, ...]
// As in Keras, neg is the maximum of (1 - y_true) y_pred, so it is at least 0.
// Source: Weston, Watkins (1999), Support Vector Machines for Multi-Class Pattern Recognition.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class CategoricalHinge final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::OneHotTargets(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value pos = Sum(target * predicted, {-1});
    const Value neg = ReduceMax((1 - target) * predicted, {-1});
    return Relu(neg - pos + 1);
  }
};

FUSEBOX_PLUGIN(CategoricalHinge,
               {.id = "fusebox/categorical_hinge",
                .doc = "max(neg - pos + 1, 0): the margin between the true class and the best other one.",
                .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
