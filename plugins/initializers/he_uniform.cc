// SPDX-License-Identifier: Apache-2.0
// Uniform in [-r, r) with r = sqrt(6 / fan_in), which makes the variance 2 / fan_in.
// Source: He, Zhang, Ren, Sun (2015), Delving deep into rectifiers; in Keras's form.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class HeUniform final : public sdk::Initializer {
 public:
  explicit HeUniform(const sdk::Attributes& attributes) : seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return UniformOfVariance(scope, type, 2, FansOf(type).in, seed_);
  }

 private:
  int64_t seed_;
};

FUSEBOX_PLUGIN(HeUniform,
               {.id = "fusebox/he_uniform", .doc = "Uniform in [-r, r), r = sqrt(6 / fan_in).", .attributes = {kSeed}});

}  // namespace
}  // namespace fusebox
