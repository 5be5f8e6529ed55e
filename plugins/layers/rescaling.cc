// SPDX-License-Identifier: Apache-2.0
// Scales and shifts numbers, y = x * scale + offset:
//     x [N, ...], of any dtype  -->  y f32[N, ...]
// As a first layer, it maps pixels of u8 to a suitable range: scale 1/255 gives [0, 1].
#include "fusebox/plugins/sdk/numbers.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Rescaling final : public sdk::Layer {
 public:
  explicit Rescaling(const sdk::Attributes& attributes)
      : scale_(attributes.Floats("scale")),
        offset_(attributes.Floats("offset")),
        scale_shape_(attributes.Ints("scale_shape")),
        offset_shape_(attributes.Ints("offset_shape")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const Value wide = x.dtype() == FB_F32 ? x : Cast(x, FB_F32);
    const Value scale = sdk::BroadcastArray(scope, scale_, scale_shape_);
    return wide * scale + sdk::BroadcastArray(scope, offset_, offset_shape_);
  }

 private:
  std::vector<double> scale_, offset_;
  Dims scale_shape_, offset_shape_;
};

FUSEBOX_PLUGIN(Rescaling,
               {.id = "fusebox/rescaling",
                .doc = "x * scale + offset, in f32: [N, ...] to [N, ...]; maps pixels of u8 to [0, 1], for example.",
                .keeps_mask = true,
                .attributes = {sdk::Floats("scale").Doc("factor of x, such as 1/255, or factors along its last axis"),
                               sdk::Floats("offset", "[0.0]").Doc("added to the product, one number or several"),
                               sdk::OptionalInts("scale_shape").Doc("shape of the factors, if they are no vector"),
                               sdk::OptionalInts("offset_shape").Doc("shape of the offsets, if they are no vector")}});

}  // namespace
}  // namespace fusebox
