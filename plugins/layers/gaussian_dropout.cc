// SPDX-License-Identifier: Apache-2.0
// In training x times normal noise of mean 1 and the variance that dropout has, rate / (1 - rate); otherwise x itself.
// Source: Srivastava et al. (2014), Dropout, section 10.
#include "fusebox/plugins/layers/noise.h"

namespace fusebox {
namespace {

class GaussianDropout final : public sdk::Layer {
 public:
  explicit GaussianDropout(const sdk::Attributes& attributes)
      : rate_(attributes.Float("rate")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (rate_ == 1) return scope.Error("expects a rate below 1, whose noise has a finite variance, got 1");
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
                .doc = "In training multiplies by normal noise of mean 1; else x itself.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("rate").Range(0, 1).ProgramScalar().Doc("the noise's variance is rate / (1 - rate)"),
                    sdk::Int("seed", sdk::kNoInt).Doc("of the noise; else the model's"),
                }});

}  // namespace
}  // namespace fusebox
