// SPDX-License-Identifier: Apache-2.0
// In training, multiplies x by normal noise of mean 1 and dropout's variance, rate / (1 - rate). Otherwise x itself.
// Source: Srivastava et al. (2014), Dropout, section 10.
#include "fusebox/plugins/layers/noise.h"

namespace fusebox {
namespace {

class GaussianDropout final : public sdk::Layer {
 public:
  explicit GaussianDropout(const sdk::Attributes& attributes)
      : rate_(attributes.Float("rate")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (rate_ == 1) return scope.Error("expects a rate below 1, for a finite variance of the noise, got 1");
    if (!scope.training() || rate_ == 0) return x;
    const Value rate = scope.Scalar("rate");
    const Value stddev = Sqrt(rate / (1 - rate));
    return x * (Normal(scope, x, seed_) * stddev + 1);
  }

 private:
  double rate_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(GaussianDropout,
               {.id = "fusebox/gaussian_dropout",
                .doc = "Multiplies by normal noise of mean 1 in training.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("rate").Range(0, 1).ProgramScalar().Doc("the noise's variance is rate / (1 - rate)"),
                    sdk::Int("seed", sdk::kNoInt).Doc("seed of the noise; by default the model's"),
                }});

}  // namespace
}  // namespace fusebox
