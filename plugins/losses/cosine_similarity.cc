// SPDX-License-Identifier: Apache-2.0
// Negative cosine of the angle between y_true and y_pred as vectors along an axis: -1 where they agree, 1 where they
// point in opposite directions.
//     y_true, y_pred [N, ..., C]  -->  loss [N, ...]
// The zero vector is orthogonal to all others.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class CosineSimilarity final : public sdk::Loss {
 public:
  explicit CosineSimilarity(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return ForEachSample(-Sum(Normalized(target, axis_) * Normalized(predicted, axis_), {axis_}), predicted);
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(CosineSimilarity, {.id = "fusebox/cosine_similarity",
                                  .doc = "Negative cosine of the angle between y_true and y_pred.",
                                  .attributes = {kAxis.Doc("axis of the vectors"), kReduction}});

}  // namespace
}  // namespace fusebox
