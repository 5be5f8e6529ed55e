// SPDX-License-Identifier: Apache-2.0
// In training, adds normal noise to x. Otherwise x itself.
#include "fusebox/plugins/layers/noise.h"

namespace fusebox {
namespace {

class GaussianNoise final : public sdk::Layer {
 public:
  explicit GaussianNoise(const sdk::Attributes& attributes)
      : stddev_(attributes.Float("stddev")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (!scope.training() || stddev_ == 0) return x;
    const Value stddev = scope.Scalar("stddev");
    return x + Normal(scope, x, seed_) * stddev;
  }

 private:
  double stddev_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(GaussianNoise,
               {.id = "fusebox/gaussian_noise",
                .doc = "Adds normal noise in training.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("stddev").Range(0, 1).ProgramScalar().Doc("standard deviation of the noise"),
                    sdk::Int("seed", sdk::kNoInt).Doc("seed of the noise; by default the model's"),
                }});

}  // namespace
}  // namespace fusebox
