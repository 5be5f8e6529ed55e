// SPDX-License-Identifier: Apache-2.0
// Normal with variance 2 / fan_in, truncated at two standard deviations of the underlying normal.
// Source: He, Zhang, Ren, Sun (2015), Delving deep into rectifiers; in Keras's form.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class HeNormal final : public sdk::Initializer {
 public:
  explicit HeNormal(const sdk::Attributes& attributes) : seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return TruncatedNormalOfVariance(scope, type, 2, FansOf(type).in, seed_);
  }

 private:
  int64_t seed_;
};

FUSEBOX_PLUGIN(HeNormal, {.id = "fusebox/he_normal",
                          .doc = "Normal, truncated at two deviations, with variance 2 / fan_in.",
                          .attributes = {kSeed}});

}  // namespace
}  // namespace fusebox
