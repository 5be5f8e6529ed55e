// SPDX-License-Identifier: Apache-2.0
// The mean of the loss binary_crossentropy over the epoch so far.
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
                .doc = "Cross-entropy of y_true and probabilities y_pred of yes or no, in nats.",
                .attributes = {sdk::Bool("from_logits", false).Doc("y_pred is what sigmoid would get"),
                               sdk::Float("label_smoothing", 0).Range(0, 1).Doc("takes targets so far from 0 and 1")}});

}  // namespace
}  // namespace fusebox
