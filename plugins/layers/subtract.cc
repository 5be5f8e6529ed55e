// SPDX-License-Identifier: Apache-2.0
// Difference of two inputs.
#include "fusebox/plugins/layers/merge.h"

namespace fusebox {
namespace {

class SubtractLayer final : public sdk::MergeLayer {
 public:
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    if (inputs.size() != 2) return scope.Error("expects 2 inputs, got {}", inputs.size());
    return Fold(scope, inputs, [](Value a, Value b) { return a - b; });
  }
};

FUSEBOX_PLUGIN(SubtractLayer, {.id = "fusebox/subtract", .doc = "a - b."});

}  // namespace
}  // namespace fusebox
