// SPDX-License-Identifier: Apache-2.0
// Mean of the loss categorical_crossentropy over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class CategoricalCrossentropy final : public sdk::Metric {
 public:
  explicit CategoricalCrossentropy(const sdk::Attributes& attributes)
      : loss_(fmt::format("categorical_crossentropy:from_logits={},label_smoothing={},axis={}",
                          attributes.Bool("from_logits"), attributes.Float("label_smoothing"),
                          attributes.Int("axis"))) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss(loss_, y_true, y_pred));
  }

 private:
  std::string loss_;
};

FUSEBOX_PLUGIN(CategoricalCrossentropy,
               {.id = "fusebox/categorical_crossentropy",
                .doc = "Cross-entropy of one-hot y_true and probabilities y_pred, in nats.",
                .attributes = {sdk::Bool("from_logits", false).Doc("y_pred holds logits, the input of softmax"),
                               sdk::Float("label_smoothing", 0)
                                   .Range(0, 1)
                                   .Doc("moves targets by this fraction towards the uniform distribution"),
                               sdk::Int("axis", -1).Doc("axis of the classes")}});

}  // namespace
}  // namespace fusebox
