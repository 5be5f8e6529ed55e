// SPDX-License-Identifier: Apache-2.0
// Intersection over union of all classes of one-hot targets: see intersection_over_union.h.
#include "fusebox/plugins/metrics/intersection_over_union.h"

namespace fusebox {
namespace {

class OneHotMeanIoU final : public sdk::Metric {
 public:
  explicit OneHotMeanIoU(const sdk::Attributes& attributes) : options_(IouOptions::From(attributes, false, false)) {}

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return IouOf(scope, options_, y_true, y_pred);
  }

 private:
  IouOptions options_;
};

FUSEBOX_PLUGIN(OneHotMeanIoU,
               {.id = "fusebox/one_hot_mean_iou",
                .doc = "Intersection over union of one-hot targets, averaged over all classes.",
                .attributes = {kNumClasses, kIgnoreClass,
                               sdk::Bool("sparse_y_pred", false).Doc("y_pred holds class indices, not scores"),
                               kIouAxis}});

}  // namespace
}  // namespace fusebox
