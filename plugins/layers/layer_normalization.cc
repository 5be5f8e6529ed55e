// SPDX-License-Identifier: Apache-2.0
// Normalizes each sample to mean 0 and variance 1 along axes, then scales and shifts it:
//     y = gamma (x - mean) / sqrt(variance + epsilon) + beta, gamma and beta of the sizes of the axes
// Source: Ba, Kiros, Hinton (2016), Layer Normalization.
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

class LayerNormalization final : public sdk::Layer {
 public:
  explicit LayerNormalization(const sdk::Attributes& attributes) : a_(attributes) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const auto axes = FixedAxes(scope, x, a_.Ints("axis"));
    if (!axes) return {};
    const Dims sizes = SizesOf(x, *axes);
    const ScaleAndShift own(scope, a_, sizes);
    const Value centred = x - Mean(x, *axes, true);
    const Value variance = Mean(Square(centred), *axes, true);
    const Value y = centred * (1 / Sqrt(variance + a_.Float("epsilon")));
    return own.Shifted(own.Scaled(y, x, *axes), x, *axes);
  }

 private:
  sdk::Attributes a_;
};

FUSEBOX_PLUGIN(LayerNormalization, {.id = "fusebox/layer_normalization",
                                    .doc = "Normalizes each sample along axes.",
                                    .keeps_mask = true,
                                    .attributes = {
                                        sdk::Ints("axis", kLast).Doc("axes along which mean and variance are taken"),
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
