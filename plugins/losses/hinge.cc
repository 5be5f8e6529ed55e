// SPDX-License-Identifier: Apache-2.0
// max(1 - y_true y_pred, 0), averaged over the last axis, for targets -1 and 1. If a batch holds only targets 0 and 1,
// they are mapped to -1 and 1.
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Hinge final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return MeanOfLastAxis(Relu(1 - AsHingeLabels(target) * predicted));
  }
};

FUSEBOX_PLUGIN(Hinge, {.id = "fusebox/hinge",
                       .doc = "Mean of max(1 - y_true y_pred, 0) over the last axis.",
                       .attributes = {kReduction}});

}  // namespace
}  // namespace fusebox
