// SPDX-License-Identifier: Apache-2.0
// Pulls embeddings of one class together and pushes those of different classes apart, over all pairs of a batch:
//     y_true [N] or [N, 1]   class, any integer
//     y_pred [N, D]          embeddings, of length 1 (UnitNormalization makes them)
//     loss   [N]             of sample i:  softplus(log sum_j exp(-gamma [m + d_ij]+ (m - d_ij))
//                                                 + log sum_k exp( gamma [1 + m - d_ik]+ (1 - m - d_ik)))
// with d = [1 - cosine]+, j over the other samples of i's class, k over those of other classes, m the margin. The loss
// of a sample without j or without k is 0. Samples with a loss of 0 do not count in the mean of a batch, as in Keras.
// A loop goes through the samples, so the N x N pairs are never in memory at once.
// Source: Sun et al. (2020), Circle loss: a unified perspective of pair similarity optimization; keras.losses.Circle.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

// So low that its exp is 0 beside any other term, yet finite: two of them can be subtracted.
constexpr double kNone = -1e30;

Value LogSumOfThose(Value which, Value x) { return Reshape(LogSumExp(Select(which, x, kNone), {0}), {}); }

class Circle final : public sdk::Loss {
 public:
  explicit Circle(const sdk::Attributes& attributes)
      : gamma_(attributes.Float("gamma")),
        margin_(attributes.Float("margin")),
        without_itself_(attributes.Bool("remove_diagonal")),
        reduction_(attributes.String("reduction")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const bool fits = y_pred.rank() == 2 && (y_true.rank() == 1 || (y_true.rank() == 2 && y_true.dim(1) == 1));
    if (!fits) {
      return scope.Error("expects classes y_true [N] and embeddings y_pred [N, D], got {} and {}", y_true.type(),
                         y_pred.type());
    }
    const Dims each = {y_pred.dim(0)};
    const Value labels = Reshape(Cast(y_true, FB_I32), each);
    const auto pairs_of = [&](const Values&, const Values& sample) -> Scanned {
      const Value embedding = sample[0], label = sample[1], number = sample[2];
      const Value cosines = Reshape(MatMul(y_pred, Reshape(embedding, {y_pred.dim(1), 1})), each);
      const Value d = Max(1 - cosines, 0);
      const Value same = Equal(labels, label);
      const Value alike = without_itself_ ? And(same, Not(Equal(Iota(labels, 0), number))) : same;
      const Value apart = LogSumOfThose(alike, -gamma_ * Max(margin_ + d, 0) * (margin_ - d));
      const Value near = LogSumOfThose(Not(same), gamma_ * Max(1 + margin_ - d, 0) * (1 - margin_ - d));
      return {.carry = {}, .y = {Softplus(apart + near)}};
    };
    const Value loss = Scan(pairs_of, {}, {y_pred, labels, Iota(labels, 0)}).y[0];
    return reduction_ == "sum" ? loss : OfThoseThatCount(scope, loss);
  }

 private:
  // Scales up the losses that count, so that the mean over all samples is the mean over those that count.
  Value OfThoseThatCount(sdk::Scope& scope, Value loss) const {
    if (reduction_ == "mean_with_sample_weight") return scope.Error("has no reduction mean_with_sample_weight");
    const Value counts = StopGradient(Cast(Greater(loss, 0), FB_F32));
    const Value share = Extent(loss, {0}) / Max(Sum(counts, {0}), 1);
    return loss * share;
  }

  double gamma_, margin_;
  bool without_itself_;
  std::string reduction_;
};

FUSEBOX_PLUGIN(Circle,
               {.id = "fusebox/circle",
                .doc = "Circle loss of classes y_true [N] and embeddings y_pred [N, D], by all pairs of a batch.",
                // Both flags: class labels that only mark samples as alike may exceed D.
                .class_labels = true,
                .class_labels_by_shape = true,
                .attributes = {sdk::Float("gamma", 80).Doc("scale of the exponents"),
                               sdk::Float("margin", 0.4).Doc("distance that pairs may keep from their optimum"),
                               sdk::Bool("remove_diagonal", true).Doc("excludes pairs of a sample with itself"),
                               kReduction}});

}  // namespace
}  // namespace fusebox
