// SPDX-License-Identifier: Apache-2.0
// Maximum of the inputs, element by element.
#include "fusebox/plugins/layers/merge.h"

namespace fusebox {
namespace {

class Maximum final : public sdk::MergeLayer {
 public:
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    return Fold(scope, inputs, [](Value a, Value b) { return Max(a, b); });
  }
};

FUSEBOX_PLUGIN(Maximum, {.id = "fusebox/maximum", .doc = "max(a, b, ...)."});

}  // namespace
}  // namespace fusebox
