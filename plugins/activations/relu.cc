// SPDX-License-Identifier: Apache-2.0
// Rectified linear unit, max(x, 0). Its gradient at 0 is that of the op max.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class ReluActivation final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Relu(x); }
};

FUSEBOX_PLUGIN(ReluActivation, {.id = "fusebox/relu", .doc = "max(x, 0); NaN stays NaN."});

}  // namespace
}  // namespace fusebox
