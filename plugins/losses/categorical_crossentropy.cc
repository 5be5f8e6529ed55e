// SPDX-License-Identifier: Apache-2.0
// Negative log of the probability that the model assigns to the true class, or to each class, weighted by y_true:
//     y_true [N, ..., C]   one-hot, or probabilities
//     y_pred [N, ..., C]   probabilities, or logits z
//     loss   [N, ...]      in nats
//
// From logits it is the sum of y_true (log(sum(exp(z))) - z), which stays finite for any finite z. If y_pred is the
// output of softmax, the loss uses softmax's input. Other probabilities are scaled to a sum of 1 and clipped to [1e-7,
// 1 - 1e-7], as in Keras.
// Source: Goodfellow, Bengio, Courville (2016), Deep Learning, section 6.2.2.3.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class CategoricalCrossentropy final : public sdk::Loss {
 public:
  explicit CategoricalCrossentropy(const sdk::Attributes& attributes)
      : from_logits_(attributes.Bool("from_logits")),
        label_smoothing_(attributes.Float("label_smoothing")),
        axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::OneHotTargets(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value y = SmoothedOneHot(target, label_smoothing_);
    const bool last = axis_ == -1 || axis_ == predicted.rank() - 1;
    const Value made_from = last ? scope.LogitsOf(y_pred, "fusebox/softmax") : Value{};
    const Value z = from_logits_ ? predicted : made_from;
    const Value log_p =
        z.ok() ? z - LogSumExp(z, {axis_}) : Log(ClippedProbability(predicted / Sum(predicted, {axis_}, true)));
    return ForEachSample(-Sum(y * log_p, {axis_}), predicted);
  }

 private:
  bool from_logits_;
  double label_smoothing_;
  int64_t axis_;
};

FUSEBOX_PLUGIN(CategoricalCrossentropy,
               {.id = "fusebox/categorical_crossentropy",
                .doc = "Cross-entropy of one-hot y_true and probabilities y_pred [N, C], in nats.",
                .attributes = {kFromLogits, kLabelSmoothing, kAxis.Doc("axis of the classes"), kReduction}});

}  // namespace
}  // namespace fusebox
