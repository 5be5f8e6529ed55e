// SPDX-License-Identifier: Apache-2.0
// Step function of a threshold unit, 1 for x >= 0. No gradient passes. Not in Keras.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Heaviside final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override {
    return Select(Less(x, 0), 0, Select(LessEqual(0, x), 1, StopGradient(x)));
  }
};

FUSEBOX_PLUGIN(Heaviside,
               {.id = "fusebox/heaviside", .doc = "1 for x >= 0, else 0; NaN stays NaN. No gradient passes."});
using Step = Heaviside;
FUSEBOX_PLUGIN(Step, {.id = "fusebox/step", .doc = "1 for x >= 0, else 0: another name of heaviside."});

}  // namespace
}  // namespace fusebox
