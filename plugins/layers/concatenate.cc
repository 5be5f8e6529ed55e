// SPDX-License-Identifier: Apache-2.0
// The inputs one after another along an axis:
//     a [N, ..., k], b [N, ..., m] --> y [N, ..., k + m]
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

class ConcatenateLayer final : public sdk::MergeLayer {
 public:
  explicit ConcatenateLayer(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    if (inputs.size() < 2) return scope.Error("expects 2 inputs or more, got {}", inputs.size());
    for (const Value& input : inputs) {
      if (input.dtype() != inputs[0].dtype() || input.rank() != inputs[0].rank()) {
        return scope.Error("expects inputs of one dtype and rank, got {} and {}", inputs[0].type(), input.type());
      }
      const auto axis = FixedAxes(scope, input, {axis_});
      if (!axis) return {};
      for (int64_t i = 0; i < input.rank(); ++i) {
        if (i == axis->front() || input.dim(i) == inputs[0].dim(i)) continue;
        return scope.Error("expects inputs that agree in all axes but {}, got {} and {}, which differ in axis {}",
                           axis->front(), inputs[0].type(), input.type(), i);
      }
    }
    return Concatenate(inputs, axis_);
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(ConcatenateLayer, {.id = "fusebox/concatenate",
                                  .doc = "The inputs one after another along an axis.",
                                  .attributes = {sdk::Int("axis", -1).Doc("along which they lie one after another")}});

}  // namespace
}  // namespace fusebox
