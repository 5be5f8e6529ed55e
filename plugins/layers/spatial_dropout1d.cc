// SPDX-License-Identifier: Apache-2.0
// Dropout of whole channels: all steps of a sample share one mask.
//     x [N, steps, channels], mask [N, 1, channels]
// Source: Tompson et al. (2015), Efficient Object Localization Using Convolutional Networks.
#include "fusebox/plugins/layers/noise.h"

namespace fusebox {
namespace {

class SpatialDropout1d final : public sdk::Layer {
 public:
  explicit SpatialDropout1d(const sdk::Attributes& attributes)
      : rate_(attributes.Float("rate")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() != 3) return scope.Error("expects input [batch, steps, channels], got {}", x.type());
    if (!scope.training() || rate_ == 0) return x;
    const Value rate = scope.Scalar("rate");
    const Value u = Uniform(scope, x, seed_, {-1, 1, -1});
    return x * Select(Less(u, rate), 0, 1 / (1 - rate));
  }

 private:
  double rate_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(SpatialDropout1d,
               {.id = "fusebox/spatial_dropout1d",
                .doc = "Sets random channels of [N, steps, channels] to 0 in training.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Float("rate").Range(0, 1).ProgramScalar().Doc("fraction of channels to drop"),
                    sdk::Int("seed", sdk::kNoInt).Doc("seed of the masks; by default the model's"),
                }});

}  // namespace
}  // namespace fusebox
