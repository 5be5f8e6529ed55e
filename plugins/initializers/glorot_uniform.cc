// SPDX-License-Identifier: Apache-2.0
// Uniform in [-r, r) with r = sqrt(6 / (fan_in + fan_out)), which makes the variance 2 / (fan_in + fan_out).
// Source: Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class GlorotUniform final : public sdk::Initializer {
 public:
  explicit GlorotUniform(const sdk::Attributes& attributes) : seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    const Fans fans = FansOf(type);
    return UniformOfVariance(scope, type, 1, (fans.in + fans.out) / 2, seed_);
  }

 private:
  int64_t seed_;
};

FUSEBOX_PLUGIN(GlorotUniform, {.id = "fusebox/glorot_uniform",
                               .doc = "Uniform in [-r, r), r = sqrt(6 / (fan_in + fan_out)).",
                               .attributes = {kSeed}});

}  // namespace
}  // namespace fusebox
