// SPDX-License-Identifier: Apache-2.0
// Product of the inputs, element by element.
#include "fusebox/plugins/layers/merge.h"

namespace fusebox {
namespace {

class MultiplyLayer final : public sdk::MergeLayer {
 public:
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    return Fold(scope, inputs, [](Value a, Value b) { return a * b; });
  }
};

FUSEBOX_PLUGIN(MultiplyLayer, {.id = "fusebox/multiply", .doc = "a * b * ..."});

}  // namespace
}  // namespace fusebox
