// SPDX-License-Identifier: Apache-2.0
// Negative log of the probability that the model assigns to the true answers of yes-or-no questions:
//     y_true [N, ..., C]   0 or 1, or a probability
//     y_pred [N, ..., C]   probabilities, or logits z
//     loss   [N, ...]      in nats; the mean over an axis
//
// From logits it is y softplus(-z) + (1 - y) softplus(z), which stays finite and exact for any finite z. If y_pred is
// the output of sigmoid, the loss uses sigmoid's input. Other probabilities are clipped to [1e-7, 1 - 1e-7], as in
// Keras.
// Source: Goodfellow, Bengio, Courville (2016), Deep Learning, section 6.2.2.2.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class BinaryCrossentropy final : public sdk::Loss {
 public:
  explicit BinaryCrossentropy(const sdk::Attributes& attributes)
      : from_logits_(attributes.Bool("from_logits")),
        label_smoothing_(attributes.Float("label_smoothing")),
        axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    if (scope.LogitsOf(y_pred, "fusebox/softmax").ok() && y_pred.dim(-1) == 1) {
      return scope.Error("expects probabilities of a sigmoid, got a softmax of one unit, {}, which is always 1",
                         y_pred.type());
    }
    const Value y = SmoothedBinary(target, label_smoothing_);
    const Value made_from = scope.LogitsOf(y_pred, "fusebox/sigmoid");
    Value z = from_logits_ ? predicted : made_from;
    if (z.ok()) {
      if (z.rank() != predicted.rank()) z = Reshape(z, predicted.dims());
      return ForEachSample(Mean(y * Softplus(-z) + (1 - y) * Softplus(z), {axis_}), predicted);
    }
    const Value p = ClippedProbability(predicted);
    return ForEachSample(-Mean(y * Log(p) + (1 - y) * Log(1 - p), {axis_}), predicted);
  }

 private:
  bool from_logits_;
  double label_smoothing_;
  int64_t axis_;
};

FUSEBOX_PLUGIN(BinaryCrossentropy,
               {.id = "fusebox/binary_crossentropy",
                .doc = "Binary cross-entropy of y_true and probabilities y_pred, in nats.",
                .attributes = {kFromLogits, kLabelSmoothing, kAxis.Doc("axis to average over"), kReduction}});

}  // namespace
}  // namespace fusebox
