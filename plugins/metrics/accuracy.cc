// SPDX-License-Identifier: Apache-2.0
// Fraction of correct predictions over the epoch so far. As in Keras, the shapes select the kind:
//     y_pred [N, ..., 1]  y_true alike, or [N, ...]       binary: (y_pred > 0.5) == y_true
//     y_pred [N, ..., C]  y_true [N, ...] or [N, ..., 1]  sparse: argmax(y_pred) == y_true
//     y_pred [N, ..., C]  y_true [N, ..., C]              categorical: argmax(y_pred) == argmax(y_true)
// Among equal scores, the first counts as the largest.
#include "fusebox/plugins/sdk/targets.h"

namespace fusebox {
namespace {

class Accuracy final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    y_pred = sdk::Predictions(scope, y_pred);
    if (!y_pred.ok() || !y_true.ok()) return {};
    const Dims scores = y_pred.dims();
    const Dims flat(scores.begin(), scores.end() - 1);
    Dims column = scores;
    column.back() = 1;

    const Dims got = y_true.dims();
    if (got != flat && got != column && got != scores) {
      return scope.Error("expects targets {}, {} or {} for predictions {}, got {}", ToString(MakeType(FB_I32, flat)),
                         ToString(MakeType(FB_I32, column)), ToString(MakeType(y_pred.dtype(), scores)), y_pred.type(),
                         y_true.type());
    }
    if (scores.back() == 1) {
      const Value decided = Cast(Greater(y_pred, 0.5), y_true.dtype());
      return scope.RunningMean(Cast(Equal(decided, Reshape(y_true, column)), FB_F32));
    }
    const Value chosen = ArgMax(y_pred, -1);
    const Value meant =
        got == scores ? ArgMax(y_true, -1) : Reshape(y_true.dtype() == FB_I32 ? y_true : Cast(y_true, FB_I32), flat);
    return scope.RunningMean(Cast(Equal(chosen, meant), FB_F32));
  }
};

FUSEBOX_PLUGIN(Accuracy, {.id = "fusebox/accuracy",
                          .doc = "Fraction of correct predictions: binary, sparse or one-hot, depending on the shapes.",
                          .class_labels_by_shape = true});

}  // namespace
}  // namespace fusebox
