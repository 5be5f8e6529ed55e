// SPDX-License-Identifier: Apache-2.0
// Sigmoid in three straight pieces, relu6(x + 3) / 6.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class HardSigmoid final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Min(Relu(x + 3), 6) / 6; }
};

FUSEBOX_PLUGIN(HardSigmoid, {.id = "fusebox/hard_sigmoid", .doc = "max(0, min(x / 6 + 1/2, 1))."});

}  // namespace
}  // namespace fusebox
