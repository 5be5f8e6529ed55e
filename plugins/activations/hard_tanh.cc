// SPDX-License-Identifier: Apache-2.0
// x clipped to [-1, 1]. The gradient at the ends themselves is still 1.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class HardTanh final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Select(Less(1, x), 1, Select(Less(x, -1), -1, x)); }
};

FUSEBOX_PLUGIN(HardTanh, {.id = "fusebox/hard_tanh", .doc = "x clipped to [-1, 1]."});

}  // namespace
}  // namespace fusebox
