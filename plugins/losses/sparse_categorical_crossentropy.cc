// SPDX-License-Identifier: Apache-2.0
// Minus the log of the probability that the model gives to the true class:
//     y_true [N, ...] or [N, ..., 1]   class in [0, C), of any number dtype
//     y_pred [N, ..., C]               probabilities, or logits z
//     loss   [N]                       in nats; the mean over the axes between
//
// From logits it is log(sum(exp(z))) - z[class], which stays finite for any finite z. Where softmax made y_pred, its input
// is taken, so nobody has to ask for that. Other probabilities are scaled to a sum of 1 and clipped to [1e-7, 1 - 1e-7],
// as in Keras.
// Source: Goodfellow, Bengio, Courville (2016), Deep Learning, sections 4.1 and 6.2.2.3.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SparseCategoricalCrossentropy final : public sdk::Loss {
 public:
  explicit SparseCategoricalCrossentropy(const sdk::Attributes& attributes)
      : from_logits_(attributes.Bool("from_logits")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    Dims column = y_pred.dims();
    if (column.size() < 2) return scope.Error("expects predictions [batch, ..., classes], got {}", y_pred.type());
    column.back() = 1;
    const Dims flat(column.begin(), column.end() - 1);
    if (y_true.dims() != column && y_true.dims() != flat) {
      return scope.Error("expects one class a prediction, {} for {}, got {}", ToString(MakeType(FB_I32, flat)),
                         y_pred.type(), y_true.type());
    }
    const Value labels = Reshape(y_true.dtype() == FB_I32 ? y_true : Cast(y_true, FB_I32), column);
    const Value made_from = scope.LogitsOf(y_pred, "fusebox/softmax");
    const Value logits = from_logits_ ? y_pred : made_from;
    const Value is_class = Equal(Iota(logits.ok() ? logits : y_pred, -1), labels);

    Value loss;
    if (logits.ok()) {
      const Value picked = Sum(Select(is_class, logits, 0), {-1});
      loss = Reshape(LogSumExp(logits), flat) - picked;
    } else {
      const Value scaled = y_pred / Sum(y_pred, {-1}, true);
      const Value log_p = Log(Min(Max(scaled, 1e-7), 1 - 1e-7));
      loss = -Sum(Select(is_class, log_p, 0), {-1});
    }
    Dims between;
    for (int64_t i = 1; i < int64_t(flat.size()); ++i) between.push_back(i);
    return between.empty() ? loss : Mean(loss, between);
  }

 private:
  bool from_logits_;
};

FUSEBOX_PLUGIN(SparseCategoricalCrossentropy,
               {.id = "fusebox/sparse_categorical_crossentropy",
                .doc = "Cross-entropy of classes y_true [N] and probabilities y_pred [N, C], in nats.",
                .class_labels = true,
                .attributes = {sdk::Bool("from_logits", false).Doc("y_pred is what softmax would get")}});

}  // namespace
}  // namespace fusebox
