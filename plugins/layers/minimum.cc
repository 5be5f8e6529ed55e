// SPDX-License-Identifier: Apache-2.0
// Minimum of the inputs, element by element.
#include "fusebox/plugins/layers/merge.h"

namespace fusebox {
namespace {

class Minimum final : public sdk::MergeLayer {
 public:
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    return Fold(scope, inputs, [](Value a, Value b) { return Min(a, b); });
  }
};

FUSEBOX_PLUGIN(Minimum, {.id = "fusebox/minimum", .doc = "min(a, b, ...)."});

}  // namespace
}  // namespace fusebox
