// SPDX-License-Identifier: Apache-2.0
// One of two libraries with a layer of the same name in different namespaces.
#include "fusebox/plugins/sdk/sdk.h"

namespace bad {
using namespace fusebox;

struct Gate final : sdk::Layer {
  Value Expand(sdk::Scope&, Value x) const override { return x; }
};
FUSEBOX_PLUGIN(Gate, {.id = "left/gate"});

}  // namespace bad
FUSEBOX_LIBRARY("left", "1.0.0", "MIT")
