// SPDX-License-Identifier: Apache-2.0
// Defines a layer that another library defines, too.
#include "fusebox/plugins/sdk/sdk.h"

namespace bad {
using namespace fusebox;

struct Before final : sdk::Layer {
  Value Expand(sdk::Scope&, Value x) const override { return x; }
};
struct Dense final : sdk::Layer {
  Value Expand(sdk::Scope&, Value x) const override { return x; }
};
FUSEBOX_PLUGIN(Before, {.id = "bad/before"});
FUSEBOX_PLUGIN(Dense, {.id = "fusebox/dense"});

}  // namespace bad
FUSEBOX_LIBRARY("second", "2.0.0")
