// SPDX-License-Identifier: Apache-2.0
// x moved towards 0 by the threshold; 0 where |x| is below it.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SoftShrink final : public sdk::Activation {
 public:
  explicit SoftShrink(const sdk::Attributes& attributes) : threshold_(attributes.Float("threshold")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    return Select(Less(threshold_, x), x - threshold_, Select(Less(x, -threshold_), x + threshold_, 0));
  }

 private:
  double threshold_;
};

FUSEBOX_PLUGIN(SoftShrink, {.id = "fusebox/soft_shrink",
                            .doc = "x moved towards 0 by the threshold, 0 where |x| is below it.",
                            .attributes = {sdk::Float("threshold", 0.5).Doc("below which |x| becomes 0")}});

}  // namespace
}  // namespace fusebox
