// SPDX-License-Identifier: Apache-2.0
// min(max(x, 0), 6). Its gradient is 0 at both ends.
// Source: Krizhevsky (2010), Convolutional Deep Belief Networks on CIFAR-10.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Relu6 final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Min(Relu(x), 6); }
};

FUSEBOX_PLUGIN(Relu6, {.id = "fusebox/relu6", .doc = "max(x, 0), at most 6."});

}  // namespace
}  // namespace fusebox
