// SPDX-License-Identifier: Apache-2.0
// In training each element is 0 with probability `rate`, else x / (1 - rate), so that the mean stays. Otherwise x itself.
// The mask is a function of seed, step and index, so the backward pass computes it again rather than read it.
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
                .doc = "In training drops elements, and scales up the others; else x itself.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("rate").Range(0, 1).ProgramScalar().Doc("the share that is dropped"),
                    sdk::OptionalInts("noise_shape").Doc("of the mask: 1 where an axis shares it, -1 where not"),
                    sdk::Int("seed", sdk::kNoInt).Doc("of the masks; else the model's"),
                }});

}  // namespace
}  // namespace fusebox
