// SPDX-License-Identifier: Apache-2.0
// Normal with variance 2 / (fan_in + fan_out), truncated at two standard deviations of the underlying normal.
// Source: Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks; in Keras's
// form.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class GlorotNormal final : public sdk::Initializer {
 public:
  explicit GlorotNormal(const sdk::Attributes& attributes) : seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    const Fans fans = FansOf(type);
    return TruncatedNormalOfVariance(scope, type, 1, (fans.in + fans.out) / 2, seed_);
  }

 private:
  int64_t seed_;
};

FUSEBOX_PLUGIN(GlorotNormal, {.id = "fusebox/glorot_normal",
                              .doc = "Normal, truncated at two deviations, with variance 2 / (fan_in + fan_out).",
                              .attributes = {kSeed}});

}  // namespace
}  // namespace fusebox
