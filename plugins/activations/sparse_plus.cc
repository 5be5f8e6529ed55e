// SPDX-License-Identifier: Apache-2.0
// 0 for x <= -1, x for x >= 1, and between them the parabola (x + 1)^2 / 4, which meets both smoothly.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SparsePlus final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override {
    return Select(LessEqual(1, x), x, Square(Max(Min(x, 1), -1) + 1) * 0.25);
  }
};

FUSEBOX_PLUGIN(SparsePlus, {.id = "fusebox/sparse_plus", .doc = "0 for x <= -1, x for x >= 1, (x + 1)^2 / 4 between."});

}  // namespace
}  // namespace fusebox
