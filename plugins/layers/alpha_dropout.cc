// SPDX-License-Identifier: Apache-2.0
// Dropout for selu: dropped elements become selu's lower limit, a' = -scale * alpha. The result a x + b has the mean
// and variance of x again, with a = 1 / sqrt((1 - rate)(1 + rate a'^2)) and b = -a a' rate.
// Source: Klambauer et al. (2017), Self-Normalizing Neural Networks.
#include "fusebox/plugins/layers/noise.h"

namespace fusebox {
namespace {

constexpr double kLimit = -1.6732632423543772 * 1.0507009873554805;

class AlphaDropout final : public sdk::Layer {
 public:
  explicit AlphaDropout(const sdk::Attributes& attributes)
      : rate_(attributes.Float("rate")), noise_shape_(attributes.Ints("noise_shape")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (!scope.training() || rate_ == 0) return x;
    const Value rate = scope.Scalar("rate");
    const Value u = Uniform(scope, x, seed_, noise_shape_);
    const Value a = 1 / Sqrt((1 - rate) * (rate * (kLimit * kLimit) + 1));
    const Value b = a * rate * -kLimit;
    return Select(Less(u, rate), kLimit, x) * a + b;
  }

 private:
  double rate_;
  Dims noise_shape_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(AlphaDropout,
               {.id = "fusebox/alpha_dropout",
                .doc = "Sets random elements to selu's lower limit in training, keeping mean and variance.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("rate").Range(0, 1).ProgramScalar().Doc("fraction of elements to drop"),
                    sdk::OptionalInts("noise_shape").Doc("shape of the mask: 1 shares it along the axis, -1 does not"),
                    sdk::Int("seed", sdk::kNoInt).Doc("seed of the masks; by default the model's"),
                }});

}  // namespace
}  // namespace fusebox
