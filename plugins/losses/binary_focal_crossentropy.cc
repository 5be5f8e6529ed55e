// SPDX-License-Identifier: Apache-2.0
// Binary cross-entropy that gives less weight to easy samples: times (1 - p_t)^gamma, where p_t is the probability of
// the true answer.
//     y_true [N, ..., C]   0 or 1, or a probability
//     y_pred [N, ..., C]   probabilities, or logits
//     loss   [N, ...]      the mean over an axis
// With class balancing, also times alpha where 1 is true, and 1 - alpha where 0 is. Probabilities are clipped as in
// binary_crossentropy, including those that come from a sigmoid.
// Source: Lin et al. (2017), Focal Loss for Dense Object Detection.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class BinaryFocalCrossentropy final : public sdk::Loss {
 public:
  explicit BinaryFocalCrossentropy(const sdk::Attributes& attributes)
      : balanced_(attributes.Bool("apply_class_balancing")),
        from_logits_(attributes.Bool("from_logits")),
        alpha_(attributes.Float("alpha")),
        gamma_(attributes.Float("gamma")),
        label_smoothing_(attributes.Float("label_smoothing")),
        axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value y = SmoothedBinary(target, label_smoothing_);
    const Value p = from_logits_ ? Sigmoid(predicted) : predicted;
    const Value clipped = ClippedProbability(p);
    const Value entropy = -(y * Log(clipped) + (1 - y) * Log(1 - clipped));
    const Value p_t = y * p + (1 - y) * (1 - p);
    Value focal = Power(1 - p_t, gamma_) * entropy;
    if (balanced_) focal = (y * alpha_ + (1 - y) * (1 - alpha_)) * focal;
    return ForEachSample(Mean(focal, {axis_}), predicted);
  }

 private:
  bool balanced_, from_logits_;
  double alpha_, gamma_, label_smoothing_;
  int64_t axis_;
};

FUSEBOX_PLUGIN(BinaryFocalCrossentropy,
               {.id = "fusebox/binary_focal_crossentropy",
                .doc = "Binary cross-entropy times (1 - p)^gamma, with p the probability of the true answer.",
                .attributes = {sdk::Bool("apply_class_balancing", false).Doc("weights 1 and 0 by alpha and 1 - alpha"),
                               sdk::Float("alpha", 0.25).Range(0, 1).Doc("weight of 1"),
                               sdk::Float("gamma", 2).Min(0).Doc("0 is plain cross-entropy"), kFromLogits,
                               kLabelSmoothing, kAxis.Doc("axis to average over"), kReduction}});

}  // namespace
}  // namespace fusebox
