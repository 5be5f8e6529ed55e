// SPDX-License-Identifier: Apache-2.0
// Mean of the loss binary_crossentropy over the epoch so far.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class BinaryCrossentropy final : public sdk::Metric {
 public:
  explicit BinaryCrossentropy(const sdk::Attributes& attributes)
      : loss_(fmt::format("binary_crossentropy:from_logits={},label_smoothing={}", attributes.Bool("from_logits"),
                          attributes.Float("label_smoothing"))) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss(loss_, y_true, y_pred));
  }

 private:
  std::string loss_;
};

FUSEBOX_PLUGIN(BinaryCrossentropy,
               {.id = "fusebox/binary_crossentropy",
                .doc = "Binary cross-entropy of y_true and probabilities y_pred, in nats.",
                .attributes = {
                    sdk::Bool("from_logits", false).Doc("y_pred holds logits, the input of sigmoid"),
                    sdk::Float("label_smoothing", 0).Range(0, 1).Doc("moves targets by this fraction towards 1/2")}});

}  // namespace
}  // namespace fusebox
