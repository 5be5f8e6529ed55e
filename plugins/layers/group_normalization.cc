// SPDX-License-Identifier: Apache-2.0
// Divides the channels of a sample into groups, normalizes each group to mean 0 and variance 1, then scales and shifts
// each channel.
//     x [N, ..., channels] --> [N, ..., groups, channels / groups], mean and variance over all but batch and group
// Source: Wu, He (2018), Group Normalization.
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

class GroupNormalization final : public sdk::Layer {
 public:
  explicit GroupNormalization(const sdk::Attributes& attributes) : a_(attributes) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const auto axes = FixedAxes(scope, x, {a_.Int("axis")});
    if (!axes) return {};
    const int64_t axis = axes->front(), channels = x.dim(axis);
    const int64_t groups = a_.Int("groups") == -1 ? channels : a_.Int("groups");
    if (axis == 0) return scope.Error("expects an axis after the batch, got 0");
    if (groups < 1 || channels % groups != 0) {
      return scope.Error("expects a number of groups that divides the {} channels of {}, got {}", channels, x.type(),
                         groups);
    }
    const ScaleAndShift own(scope, a_, {channels});
    Dims split = x.dims();
    split[size_t(axis)] = groups;
    split.insert(split.begin() + axis + 1, channels / groups);
    const Value grouped = Reshape(x, split);
    const Dims within = OtherAxes(grouped, {0, axis});
    const Value centred = grouped - Mean(grouped, within, true);
    const Value variance = Mean(Square(centred), within, true);
    const Value y = Reshape(centred * (1 / Sqrt(variance + a_.Float("epsilon"))), x.dims());
    return own.Shifted(own.Scaled(y, x, *axes), x, *axes);
  }

 private:
  sdk::Attributes a_;
};

FUSEBOX_PLUGIN(
    GroupNormalization,
    {.id = "fusebox/group_normalization",
     .doc = "Normalizes groups of channels of each sample.",
     .keeps_mask = true,
     .attributes = {
         sdk::Int("groups", 32).Min(-1).Doc("number of groups, a divisor of the channels; -1: one per channel"),
         sdk::Int("axis", -1).Doc("axis of the channels"),
         sdk::Float("epsilon", 1e-3).Min(0).Doc("added to the variance"),
         sdk::Bool("center", true).Doc("adds beta"),
         sdk::Bool("scale", true).Doc("multiplies by gamma"),
         sdk::InitializerRef("beta_initializer", "zeros"),
         sdk::InitializerRef("gamma_initializer", "ones"),
         sdk::RegularizerRef("beta_regularizer"),
         sdk::RegularizerRef("gamma_regularizer"),
         sdk::ConstraintRef("beta_constraint"),
         sdk::ConstraintRef("gamma_constraint"),
     }});

}  // namespace
}  // namespace fusebox
