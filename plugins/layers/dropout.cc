// SPDX-License-Identifier: Apache-2.0
// In training, sets each element to 0 with probability `rate` and the others to x / (1 - rate), which preserves the
// mean. Otherwise x itself. The mask is a function of seed, step and index, so the backward pass computes it again
// instead of reading it.
// Source: Srivastava et al. (2014), Dropout: A Simple Way to Prevent Neural Networks from Overfitting.
#include "fusebox/plugins/layers/noise.h"

namespace fusebox {
namespace {

class Dropout final : public sdk::Layer {
 public:
  explicit Dropout(const sdk::Attributes& attributes)
      : rate_(attributes.Float("rate")), noise_shape_(attributes.Ints("noise_shape")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (!scope.training() || rate_ == 0) return x;
    const Value rate = scope.Scalar("rate");
    const Value u = Uniform(scope, x, seed_, noise_shape_);
    return x * Select(Less(u, rate), 0, 1 / (1 - rate));
  }

 private:
  double rate_;
  Dims noise_shape_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(Dropout,
               {.id = "fusebox/dropout",
                .doc = "Sets random elements to 0 in training, and scales up the others.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("rate").Range(0, 1).ProgramScalar().Doc("fraction of elements to drop"),
                    sdk::OptionalInts("noise_shape").Doc("shape of the mask: 1 shares it along the axis, -1 does not"),
                    sdk::Int("seed", sdk::kNoInt).Doc("seed of the masks; by default the model's"),
                }});

}  // namespace
}  // namespace fusebox
