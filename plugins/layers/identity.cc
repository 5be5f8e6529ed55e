// SPDX-License-Identifier: Apache-2.0
// x itself: a layer that only gives it a name.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Identity final : public sdk::Layer {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return x; }
};

FUSEBOX_PLUGIN(Identity, {.id = "fusebox/identity", .doc = "x itself.", .keeps_mask = true});

}  // namespace
}  // namespace fusebox
