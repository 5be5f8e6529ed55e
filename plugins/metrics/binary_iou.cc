// SPDX-License-Identifier: Apache-2.0
// Intersection over union of the classes 0 and 1, or one of them. A prediction that reaches the threshold counts as 1.
// See intersection_over_union.h.
#include "fusebox/plugins/metrics/intersection_over_union.h"

namespace fusebox {
namespace {

constexpr int64_t kBoth[] = {0, 1};

class BinaryIoU final : public sdk::Metric {
 public:
  explicit BinaryIoU(const sdk::Attributes& attributes)
      : target_ids_(attributes.Ints("target_class_ids")), threshold_(attributes.Float("threshold")) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Value predicted = sdk::Predictions(scope, y_pred);
    if (!predicted.ok()) return {};
    return IouOf(scope, {.classes = 2, .target_ids = target_ids_}, y_true,
                 Cast(LessEqual(-predicted, -threshold_), FB_I32));
  }

 private:
  Dims target_ids_;
  double threshold_;
};

FUSEBOX_PLUGIN(BinaryIoU,
               {.id = "fusebox/binary_iou",
                .doc = "Intersection over union of the classes 0 and 1.",
                .attributes = {sdk::Ints("target_class_ids", kBoth).Range(0, 1).Doc("classes to average over"),
                               sdk::Float("threshold", 0.5).Doc("predictions that reach it count as 1")}});

}  // namespace
}  // namespace fusebox
