// SPDX-License-Identifier: Apache-2.0
// x - tanh(x): much smaller than x near 0.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class TanhShrink final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return x - Tanh(x); }
};

FUSEBOX_PLUGIN(TanhShrink, {.id = "fusebox/tanh_shrink", .doc = "x - tanh(x)."});

}  // namespace
}  // namespace fusebox
