// SPDX-License-Identifier: Apache-2.0
// Mean of the loss sparse_categorical_crossentropy over the epoch so far. Samples of the ignored class count with a
// loss of 0, as in Keras; if samples have weights, they do not count at all.
#include <optional>

#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class SparseCategoricalCrossentropy final : public sdk::Metric {
 public:
  explicit SparseCategoricalCrossentropy(const sdk::Attributes& attributes)
      : loss_(fmt::format("sparse_categorical_crossentropy:reduction=sum,from_logits={},axis={}",
                          attributes.Bool("from_logits"), attributes.Int("axis"))) {
    if (!attributes.Has("ignore_class")) return;
    ignored_ = attributes.Int("ignore_class");
    loss_ += fmt::format(",ignore_class={}", *ignored_);
  }

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Value loss = scope.Loss(loss_, y_true, y_pred);
    if (!loss.ok() || !ignored_ || !scope.SampleWeight().ok()) return scope.RunningMean(loss);
    const Value labels = Reshape(sdk::ClassTargets(scope, y_true, y_pred).y_true, loss.dims());
    const Dims all = sdk::AllAxes(loss);
    const Value total = scope.Accumulated("total", Sum(Weighed(scope, loss), all));
    const Value counts = Not(Equal(labels, double(*ignored_)));
    return Narrow(DivideNoNan(total, scope.Accumulated("count", Sum(Weighed(scope, counts), all))));
  }

 private:
  std::string loss_;
  std::optional<int64_t> ignored_;
};

FUSEBOX_PLUGIN(SparseCategoricalCrossentropy,
               {.id = "fusebox/sparse_categorical_crossentropy",
                .doc = "Cross-entropy of classes y_true and probabilities y_pred, in nats.",
                .class_labels = true,
                .attributes = {sdk::Bool("from_logits", false).Doc("y_pred holds logits, the input of softmax"),
                               sdk::Int("ignore_class").Optional().Doc("class whose loss is 0"),
                               sdk::Int("axis", -1).Doc("axis of the classes: the last one")}});

}  // namespace
}  // namespace fusebox
