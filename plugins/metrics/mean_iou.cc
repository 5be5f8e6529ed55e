// SPDX-License-Identifier: Apache-2.0
// Intersection over union of all classes: see intersection_over_union.h.
#include "fusebox/plugins/metrics/intersection_over_union.h"

namespace fusebox {
namespace {

class MeanIoU final : public sdk::Metric {
 public:
  explicit MeanIoU(const sdk::Attributes& attributes)
      : options_(IouOptions::From(attributes, attributes.Bool("sparse_y_true"), false)) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return IouOf(scope, options_, y_true, y_pred);
  }

 private:
  IouOptions options_;
};

FUSEBOX_PLUGIN(MeanIoU, {.id = "fusebox/mean_iou",
                         .doc = "Intersection over union, averaged over all classes.",
                         .attributes = {kNumClasses, kIgnoreClass, kSparseYTrue,
                                        sdk::Bool("sparse_y_pred", true).Doc("y_pred holds class indices, not scores"),
                                        kIouAxis}});

}  // namespace
}  // namespace fusebox
