// SPDX-License-Identifier: Apache-2.0
// x where |x| is above the threshold, 0 elsewhere.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class HardShrink final : public sdk::Activation {
 public:
  explicit HardShrink(const sdk::Attributes& attributes) : threshold_(attributes.Float("threshold")) {}

  Value Expand(sdk::Scope&, Value x) const override { return Select(Less(threshold_, Abs(x)), x, 0); }

 private:
  double threshold_;
};

FUSEBOX_PLUGIN(HardShrink, {.id = "fusebox/hard_shrink",
                            .doc = "x where |x| is above the threshold, else 0.",
                            .attributes = {sdk::Float("threshold", 0.5).Doc("below which |x| becomes 0")}});

}  // namespace
}  // namespace fusebox
