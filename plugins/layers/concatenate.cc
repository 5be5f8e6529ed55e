// SPDX-License-Identifier: Apache-2.0
// Concatenates the inputs along an axis:
//     a [N, ..., k], b [N, ..., m] --> y [N, ..., k + m]
#include "fusebox/plugins/layers/axes.h"
#include "fusebox/plugins/layers/float_input.h"

namespace fusebox {
namespace {

class ConcatenateLayer final : public sdk::MergeLayer {
 public:
  explicit ConcatenateLayer(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, const Values& given) const override {
    if (given.size() < 2) return scope.Error("expects 2 or more inputs, got {}", given.size());
    const Values inputs = OfOneDtype(given);
    for (const Value& input : inputs) {
      if (input.rank() != inputs[0].rank()) {
        return scope.Error("expects inputs of one rank, got {} and {}", inputs[0].type(), input.type());
      }
      const auto axis = FixedAxes(scope, input, {axis_});
      if (!axis) return {};
      for (int64_t i = 0; i < input.rank(); ++i) {
        if (i == axis->front() || input.dim(i) == inputs[0].dim(i)) continue;
        return scope.Error("expects inputs that agree in all axes but {}, got {} and {}, which differ in axis {}",
                           axis->front(), inputs[0].type(), input.type(), i);
      }
    }
    MergeMasks(scope, inputs);
    return Concatenate(inputs, axis_);
  }

 private:
  // Combines the masks, if any input has one. Along the last axis, a step counts if it counts in any of them; along
  // another axis, each part keeps its own. An input without a mask counts everywhere.
  void MergeMasks(sdk::Scope& scope, const Values& inputs) const {
    bool any = false;
    Values masks;
    for (uint32_t i = 0; i < inputs.size(); ++i) {
      const Value own = scope.Mask(i);
      any |= own.ok();
      Dims steps = inputs[i].dims();
      steps.pop_back();
      masks.push_back(own.ok() && own.dims() == steps ? own : Broadcast(scope.Constant(1, FB_BOOL), steps));
      if (own.ok() && own.dims() != steps) {
        scope.Error("expects a mask of all axes but the last of {}, got {}", inputs[i].type(), own.type());
        return;
      }
    }
    if (!any) return;
    const int64_t rank = inputs[0].rank(), axis = axis_ < 0 ? axis_ + rank : axis_;
    if (axis < rank - 1) {
      scope.SetMask(Concatenate(masks, axis));
      return;
    }
    Value mask = masks[0];
    for (size_t i = 1; i < masks.size(); ++i) mask = Or(mask, masks[i]);
    scope.SetMask(mask);
  }

  int64_t axis_;
};

FUSEBOX_PLUGIN(ConcatenateLayer, {.id = "fusebox/concatenate",
                                  .doc = "Concatenates the inputs along an axis.",
                                  .attributes = {sdk::Int("axis", -1).Doc("axis to concatenate along")}});

}  // namespace
}  // namespace fusebox
