// SPDX-License-Identifier: Apache-2.0
// Scales each sample to length 1 along axes: x / max(sqrt(sum(x^2)), 1e-12).
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

class UnitNormalization final : public sdk::Layer {
 public:
  explicit UnitNormalization(const sdk::Attributes& attributes) : axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const auto axes = FixedAxes(scope, x, axes_);
    if (!axes) return {};
    return x / Sqrt(Max(Sum(Square(x), *axes, true), 1e-24));
  }

 private:
  Dims axes_;
};

FUSEBOX_PLUGIN(UnitNormalization,
               {.id = "fusebox/unit_normalization",
                .doc = "Divides each sample by its length along axes.",
                .keeps_mask = true,
                .attributes = {sdk::Ints("axis", kLast).Doc("axes along which the length is taken")}});

}  // namespace
}  // namespace fusebox
