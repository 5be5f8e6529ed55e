// SPDX-License-Identifier: Apache-2.0
// Uniform in [-r, r) with r = sqrt(3 / fan_in), which makes the variance 1 / fan_in.
// Source: LeCun, Bottou, Orr, Mueller (1998), Efficient BackProp; in Keras's form.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class LecunUniform final : public sdk::Initializer {
 public:
  explicit LecunUniform(const sdk::Attributes& attributes) : seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return UniformOfVariance(scope, type, 1, FansOf(type).in, seed_);
  }

 private:
  int64_t seed_;
};

FUSEBOX_PLUGIN(LecunUniform, {.id = "fusebox/lecun_uniform",
                              .doc = "Uniform in [-r, r), r = sqrt(3 / fan_in).",
                              .attributes = {kSeed}});

}  // namespace
}  // namespace fusebox
