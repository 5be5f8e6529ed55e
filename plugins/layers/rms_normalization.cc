// SPDX-License-Identifier: Apache-2.0
// Normalizes each sample to mean square 1 along axes, then scales it:
//     y = scale x / sqrt(mean(x^2) + epsilon)
// Source: Zhang, Sennrich (2019), Root Mean Square Layer Normalization.
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

class RmsNormalization final : public sdk::Layer {
 public:
  explicit RmsNormalization(const sdk::Attributes& attributes)
      : axes_(attributes.Ints("axis")), epsilon_(attributes.Float("epsilon")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const auto axes = FixedAxes(scope, x, axes_);
    if (!axes) return {};
    const Value scale = scope.Weight("scale", SizesOf(x, *axes), "ones");
    return x * (1 / Sqrt(Mean(Square(x), *axes, true) + epsilon_)) * Along(scale, x, *axes);
  }

 private:
  Dims axes_;
  double epsilon_;
};

FUSEBOX_PLUGIN(RmsNormalization, {.id = "fusebox/rms_normalization",
                                  .doc = "Divides each sample by its root mean square along axes.",
                                  .attributes = {
                                      sdk::Ints("axis", kLast).Doc("axes along which the mean square is taken"),
                                      sdk::Float("epsilon", 1e-6).Min(0).Doc("added to the mean square"),
                                  }});

}  // namespace
}  // namespace fusebox
