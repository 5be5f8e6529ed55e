// SPDX-License-Identifier: Apache-2.0
// e to the x.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Exponential final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Exp(x); }
};

FUSEBOX_PLUGIN(Exponential, {.id = "fusebox/exponential", .doc = "exp(x)."});

}  // namespace
}  // namespace fusebox
