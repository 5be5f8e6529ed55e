// SPDX-License-Identifier: Apache-2.0
// Moves norms towards the range [min_value, max_value], by the fraction `rate` of the way:
//     d = rate clip(|w|, min_value, max_value) + (1 - rate) |w|,   w <- w d / (|w| + 1e-7)
// Source: Keras.
#include "fusebox/plugins/constraints/norms.h"

namespace fusebox {
namespace {

class MinMaxNorm final : public sdk::Constraint {
 public:
  explicit MinMaxNorm(const sdk::Attributes& attributes) : axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope& scope, Value w) const override {
    const Value least = scope.Scalar("min_value");
    const Value greatest = scope.Scalar("max_value");
    const Value rate = scope.Scalar("rate");
    const Value norm = NormsAlong(w, axes_);
    const Value wanted = rate * Min(Max(norm, least), greatest) + (1 - rate) * norm;
    return w * (wanted / (norm + kEpsilon));
  }

 private:
  Dims axes_;
};

FUSEBOX_PLUGIN(MinMaxNorm,
               {.id = "fusebox/min_max_norm",
                .doc = "Norms between min_value and max_value.",
                .attributes = {
                    sdk::Float("min_value", 0.0).Min(0).ProgramScalar().Doc("minimum norm"),
                    sdk::Float("max_value", 1.0).Min(0).ProgramScalar().Doc("maximum norm"),
                    sdk::Float("rate", 1.0).Range(0, 1).ProgramScalar().Doc("fraction of the way to go in a step"),
                    sdk::Ints("axis", kFirstAxis).Doc("axes along which norms are taken"),
                }});

}  // namespace
}  // namespace fusebox
