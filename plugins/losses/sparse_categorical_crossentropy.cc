// SPDX-License-Identifier: Apache-2.0
// Negative log of the probability that the model assigns to the true class:
//     y_true [N, ...] or [N, ..., 1]   class in [0, C), of any number dtype
//     y_pred [N, ..., C]               probabilities, or logits z
//     loss   [N, ...]                  in nats
//
// From logits it is log(sum(exp(z))) - z[class], which stays finite for any finite z. If y_pred is the output of
// softmax, the loss uses softmax's input, without being asked. Other probabilities are scaled to a sum of 1 and clipped
// to [1e-7, 1 - 1e-7], as in Keras. Where the class is `ignore_class`, which may be any integer, the loss is 0, and the
// mean of a batch is the mean of the other samples.
// Source: Goodfellow, Bengio, Courville (2016), Deep Learning, sections 4.1 and 6.2.2.3.
#include <optional>

#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class SparseCategoricalCrossentropy final : public sdk::Loss {
 public:
  explicit SparseCategoricalCrossentropy(const sdk::Attributes& attributes)
      : from_logits_(attributes.Bool("from_logits")),
        sums_(attributes.String("reduction") == "sum"),
        weighs_(attributes.String("reduction") == "mean_with_sample_weight"),
        axis_(attributes.Int("axis")) {
    if (attributes.Has("ignore_class")) ignore_class_ = attributes.Int("ignore_class");
  }

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [labels, predicted] = sdk::ClassTargets(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    if (axis_ != -1 && axis_ != predicted.rank() - 1) {
      return scope.Error("expects the classes in the last axis, got axis {} of {}", axis_, y_pred.type());
    }
    const Dims flat = Sizes(predicted);
    const Value made_from = scope.LogitsOf(y_pred, "fusebox/softmax");
    const Value logits = from_logits_ ? predicted : made_from;
    const Value is_class = Equal(Iota(logits.ok() ? logits : predicted, -1), labels);

    Value loss;
    if (logits.ok()) {
      const Value picked = Sum(Select(is_class, logits, 0), {-1});
      loss = Reshape(LogSumExp(logits), flat) - picked;
    } else {
      const Value log_p = Log(ClippedProbability(predicted / Sum(predicted, {-1}, true)));
      loss = -Sum(Select(is_class, log_p, 0), {-1});
    }
    return ignore_class_ ? WithoutIgnored(scope, loss, Reshape(labels, flat)) : loss;
  }

 private:
  static Dims Sizes(Value predicted) {
    Dims dims = predicted.dims();
    dims.pop_back();
    return dims;
  }

  // Scales up the losses that count, so that the mean over all samples is the mean over those that count.
  Value WithoutIgnored(sdk::Scope& scope, Value loss, Value labels) const {
    if (weighs_) return scope.Error("does not support ignore_class with the reduction mean_with_sample_weight");
    const Value counts = Not(Equal(labels, double(*ignore_class_)));
    if (sums_) return Select(counts, loss, 0);
    const Dims all = sdk::AllAxes(loss);
    const Value valid = Sum(Cast(counts, loss.dtype()), all);
    return Select(counts, loss * (Extent(loss, all) / Max(valid, 1)), 0);
  }

  bool from_logits_, sums_, weighs_;
  int64_t axis_;
  std::optional<int64_t> ignore_class_;
};

FUSEBOX_PLUGIN(SparseCategoricalCrossentropy,
               {.id = "fusebox/sparse_categorical_crossentropy",
                .doc = "Cross-entropy of classes y_true [N] and probabilities y_pred [N, C], in nats.",
                .class_labels = true,
                .attributes = {kFromLogits,
                               sdk::Int("ignore_class").Optional().Doc("samples of this class are ignored"),
                               kAxis.Range(-1, FB_MAX_RANK - 1).Doc("axis of the classes: the last one"), kReduction}});

}  // namespace
}  // namespace fusebox
