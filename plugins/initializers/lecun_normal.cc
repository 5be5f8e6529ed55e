// SPDX-License-Identifier: Apache-2.0
// Normal with variance 1 / fan_in, truncated at two standard deviations of the underlying normal.
// Source: LeCun, Bottou, Orr, Mueller (1998), Efficient BackProp; in Keras's form.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class LecunNormal final : public sdk::Initializer {
 public:
  explicit LecunNormal(const sdk::Attributes& attributes) : seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return TruncatedNormalOfVariance(scope, type, 1, FansOf(type).in, seed_);
  }

 private:
  int64_t seed_;
};

FUSEBOX_PLUGIN(LecunNormal, {.id = "fusebox/lecun_normal",
                             .doc = "Normal, truncated at two deviations, with variance 1 / fan_in.",
                             .attributes = {kSeed}});

}  // namespace
}  // namespace fusebox
