// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class RandomUniform final : public sdk::Initializer {
 public:
  explicit RandomUniform(const sdk::Attributes& attributes)
      : low_(attributes.Float("minval")), high_(attributes.Float("maxval")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    if (low_ > high_) return scope.Error("attribute 'minval' must be at most 'maxval', {}, got {}", high_, low_);
    return Uniform(scope, type, low_, high_, seed_);
  }

 private:
  double low_, high_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(RandomUniform, {.id = "fusebox/random_uniform",
                               .doc = "Uniform in [minval, maxval).",
                               .attributes = {
                                   sdk::Float("minval", -0.05).Doc("lower bound, included"),
                                   sdk::Float("maxval", 0.05).Doc("upper bound, excluded"),
                                   kSeed,
                               }});

}  // namespace
}  // namespace fusebox
