// SPDX-License-Identifier: Apache-2.0
// x / (1 + |x|), in (-1, 1).
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Softsign final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return x / (1 + Abs(x)); }
};

FUSEBOX_PLUGIN(Softsign, {.id = "fusebox/softsign", .doc = "x / (1 + |x|), in (-1, 1)."});

}  // namespace
}  // namespace fusebox
