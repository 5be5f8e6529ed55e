// SPDX-License-Identifier: Apache-2.0
// Categorical cross-entropy that gives less weight to easy samples: times alpha (1 - p)^gamma for each class.
//     y_true [N, ..., C]   one-hot, or probabilities
//     y_pred [N, ..., C]   probabilities, or logits
//     loss   [N, ...]
// Probabilities are scaled to a sum of 1 and clipped to [1e-7, 1 - 1e-7], including those that come from softmax.
// Source: Lin et al. (2017), Focal Loss for Dense Object Detection.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class CategoricalFocalCrossentropy final : public sdk::Loss {
 public:
  explicit CategoricalFocalCrossentropy(const sdk::Attributes& attributes)
      : from_logits_(attributes.Bool("from_logits")),
        alpha_(attributes.Float("alpha")),
        gamma_(attributes.Float("gamma")),
        label_smoothing_(attributes.Float("label_smoothing")),
        axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::OneHotTargets(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    const Value y = SmoothedOneHot(target, label_smoothing_);
    const Value scores = from_logits_ ? Softmax(predicted, {axis_}) : predicted;
    const Value p = ClippedProbability(scores / Sum(scores, {axis_}, true));
    return ForEachSample(Sum(Power(1 - p, gamma_) * alpha_ * (-y * Log(p)), {axis_}), predicted);
  }

 private:
  bool from_logits_;
  double alpha_, gamma_, label_smoothing_;
  int64_t axis_;
};

FUSEBOX_PLUGIN(CategoricalFocalCrossentropy,
               {.id = "fusebox/categorical_focal_crossentropy",
                .doc = "Categorical cross-entropy times alpha (1 - p)^gamma.",
                .attributes = {sdk::Float("alpha", 0.25).Doc("weight of each class"),
                               sdk::Float("gamma", 2).Min(0).Doc("0 is plain cross-entropy"), kFromLogits,
                               kLabelSmoothing, kAxis.Doc("axis of the classes"), kReduction}});

}  // namespace
}  // namespace fusebox
