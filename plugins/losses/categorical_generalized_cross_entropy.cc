// SPDX-License-Identifier: Apache-2.0
// (1 - p^q) / q, with p the probability that the model assigns to the true class: between cross-entropy (q near 0) and
// mean absolute error (q near 1), which tolerates wrong labels better.
//     y_true [N, ...] or [N, ..., 1]   class in [0, C), of any number dtype
//     y_pred [N, ..., C]               probabilities
//     loss   [N, ...]
// Source: Zhang, Sabuncu (2018), Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class CategoricalGeneralizedCrossEntropy final : public sdk::Loss {
 public:
  explicit CategoricalGeneralizedCrossEntropy(const sdk::Attributes& attributes) : q_(attributes.Float("q")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [labels, predicted] = sdk::ClassTargets(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    if (q_ <= 0 || q_ >= 1) return scope.Error("expects q between 0 and 1, got {}", q_);
    const Value p = Sum(Select(Equal(Iota(predicted, -1), labels), predicted, 0), {-1});
    return (1 - Exp(Log(p) * q_)) / q_;
  }

 private:
  double q_;
};

FUSEBOX_PLUGIN(CategoricalGeneralizedCrossEntropy,
               {.id = "fusebox/categorical_generalized_cross_entropy",
                .doc = "(1 - p^q) / q, with p the probability of the true class.",
                .class_labels = true,
                .attributes = {sdk::Float("q", 0.5).Range(0, 1).Doc(
                                   "robustness, between 0 (cross-entropy) and 1 (absolute error), both excluded"),
                               kReduction}});

}  // namespace
}  // namespace fusebox
