// SPDX-License-Identifier: Apache-2.0
// log(1 / (1 + exp(-x))), as -softplus(-x), which stays exact where the sigmoid is nearly 0 or 1.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class LogSigmoid final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return -Softplus(-x); }
};

FUSEBOX_PLUGIN(LogSigmoid, {.id = "fusebox/log_sigmoid", .doc = "log(sigmoid(x)), exact at both ends."});

}  // namespace
}  // namespace fusebox
