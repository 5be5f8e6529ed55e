// SPDX-License-Identifier: Apache-2.0
// x times the hard sigmoid, also known as hard swish.
// Source: Howard et al. (2019), Searching for MobileNetV3.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class HardSilu final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return x * (Min(Relu(x + 3), 6) / 6); }
};

FUSEBOX_PLUGIN(HardSilu, {.id = "fusebox/hard_silu", .doc = "x * relu6(x + 3) / 6."});
using HardSwish = HardSilu;
FUSEBOX_PLUGIN(HardSwish, {.id = "fusebox/hard_swish", .doc = "x * relu6(x + 3) / 6: another name of hard_silu."});

}  // namespace
}  // namespace fusebox
