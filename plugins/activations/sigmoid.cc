// SPDX-License-Identifier: Apache-2.0
// Logistic function, 1 / (1 + exp(-x)).
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SigmoidActivation final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Sigmoid(x); }
};

FUSEBOX_PLUGIN(SigmoidActivation, {.id = "fusebox/sigmoid", .doc = "1 / (1 + exp(-x)), in (0, 1)."});

}  // namespace
}  // namespace fusebox
