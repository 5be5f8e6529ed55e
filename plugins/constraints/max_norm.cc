// SPDX-License-Identifier: Apache-2.0
// Shortens vectors longer than max_value: w <- w min(|w|, max_value) / (|w| + 1e-7), with the norm along the axes.
// Source: Srivastava et al. (2014), Dropout: a simple way to prevent neural networks from overfitting, section 5.1; in
// Keras's form.
#include "fusebox/plugins/constraints/norms.h"

namespace fusebox {
namespace {

class MaxNorm final : public sdk::Constraint {
 public:
  explicit MaxNorm(const sdk::Attributes& attributes) : axes_(attributes.Ints("axis")) {}

  Value Expand(sdk::Scope& scope, Value w) const override {
    const Value norm = NormsAlong(w, axes_);
    return w * (Min(norm, scope.Scalar("max_value")) / (norm + kEpsilon));
  }

 private:
  Dims axes_;
};

FUSEBOX_PLUGIN(MaxNorm, {.id = "fusebox/max_norm",
                         .doc = "Norms of at most max_value.",
                         .attributes = {
                             sdk::Float("max_value", 2.0).Min(0).ProgramScalar().Doc("maximum norm"),
                             sdk::Ints("axis", kFirstAxis).Doc("axes along which norms are taken"),
                         }});

}  // namespace
}  // namespace fusebox
