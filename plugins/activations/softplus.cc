// SPDX-License-Identifier: Apache-2.0
// log(1 + exp(x)): a smooth max(x, 0).
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SoftplusActivation final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Softplus(x); }
};

FUSEBOX_PLUGIN(SoftplusActivation, {.id = "fusebox/softplus", .doc = "log(1 + exp(x)), exact at both ends."});

}  // namespace
}  // namespace fusebox
