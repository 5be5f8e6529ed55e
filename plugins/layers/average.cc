// SPDX-License-Identifier: Apache-2.0
// Mean of the inputs, element by element.
#include "fusebox/plugins/layers/merge.h"

namespace fusebox {
namespace {

class Average final : public sdk::MergeLayer {
 public:
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    const Value sum = Fold(scope, inputs, [](Value a, Value b) { return a + b; });
    return AsFloat(sum) * (1 / double(inputs.size()));
  }
};

FUSEBOX_PLUGIN(Average, {.id = "fusebox/average", .doc = "(a + b + ...) / number of inputs."});

}  // namespace
}  // namespace fusebox
