// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class RandomNormal final : public sdk::Initializer {
 public:
  explicit RandomNormal(const sdk::Attributes& attributes)
      : mean_(attributes.Float("mean")), deviation_(attributes.Float("stddev")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return Normal(scope, type, mean_, deviation_, seed_);
  }

 private:
  double mean_, deviation_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(RandomNormal, {.id = "fusebox/random_normal",
                              .doc = "Normal.",
                              .attributes = {
                                  sdk::Float("mean", 0.0).Doc("mean of the distribution"),
                                  sdk::Float("stddev", 0.05).Min(0).Doc("standard deviation"),
                                  kSeed,
                              }});

}  // namespace
}  // namespace fusebox
