// SPDX-License-Identifier: Apache-2.0
// w <- w / (|w| + 1e-7), with the norm along the axes. Source: Keras.
#include "fusebox/plugins/constraints/norms.h"

namespace fusebox {
namespace {

class UnitNorm final : public sdk::Constraint {
 public:
  explicit UnitNorm(const sdk::Attributes& attributes) : axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope&, Value w) const override { return w / (NormsAlong(w, axes_) + kEpsilon); }

 private:
  Dims axes_;
};

FUSEBOX_PLUGIN(UnitNorm, {.id = "fusebox/unit_norm",
                          .doc = "Norms of 1.",
                          .attributes = {sdk::Ints("axis", kFirstAxis).Doc("axes along which norms are taken")}});

}  // namespace
}  // namespace fusebox
