// SPDX-License-Identifier: Apache-2.0
// Sum of the inputs, as at the end of a residual connection.
#include "fusebox/plugins/layers/merge.h"

namespace fusebox {
namespace {

class AddLayer final : public sdk::MergeLayer {
 public:
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    return Fold(scope, inputs, [](Value a, Value b) { return a + b; });
  }
};

FUSEBOX_PLUGIN(AddLayer, {.id = "fusebox/add", .doc = "a + b + ..."});

}  // namespace
}  // namespace fusebox
