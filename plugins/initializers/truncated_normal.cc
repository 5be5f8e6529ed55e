// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class CutNormal final : public sdk::Initializer {
 public:
  explicit CutNormal(const sdk::Attributes& attributes)
      : mean_(attributes.Float("mean")), deviation_(attributes.Float("stddev")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return TruncatedNormal(scope, type, mean_, deviation_, seed_);
  }

 private:
  double mean_, deviation_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(CutNormal, {.id = "fusebox/truncated_normal",
                           .doc = "Normal, truncated at two deviations.",
                           .attributes = {
                               sdk::Float("mean", 0.0).Doc("mean of the distribution"),
                               sdk::Float("stddev", 0.05).Min(0).Doc("standard deviation before truncation"),
                               kSeed,
                           }});

}  // namespace
}  // namespace fusebox
