// SPDX-License-Identifier: Apache-2.0
// x sigmoid(x), also known as swish.
// Source: Ramachandran, Zoph, Le (2017), Searching for Activation Functions.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Silu final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return x * Sigmoid(x); }
};

FUSEBOX_PLUGIN(Silu, {.id = "fusebox/silu", .doc = "x * sigmoid(x)."});
using Swish = Silu;
FUSEBOX_PLUGIN(Swish, {.id = "fusebox/swish", .doc = "x * sigmoid(x): another name of silu."});

}  // namespace
}  // namespace fusebox
