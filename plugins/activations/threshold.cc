// SPDX-License-Identifier: Apache-2.0
// x where it is above the threshold, else a default value.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Threshold final : public sdk::Activation {
 public:
  explicit Threshold(const sdk::Attributes& attributes)
      : threshold_(attributes.Float("threshold")), default_value_(attributes.Float("default_value")) {}

  Value Expand(sdk::Scope&, Value x) const override { return Select(Less(threshold_, x), x, default_value_); }

 private:
  double threshold_, default_value_;
};

FUSEBOX_PLUGIN(Threshold, {.id = "fusebox/threshold",
                           .doc = "x where it is above the threshold, else default_value.",
                           .attributes = {
                               sdk::Float("threshold").Doc("x is kept above this"),
                               sdk::Float("default_value").Doc("result elsewhere"),
                           }});

}  // namespace
}  // namespace fusebox
