// SPDX-License-Identifier: Apache-2.0
// Numbers of another range, y = x * scale + offset:
//     x [N, ...], of any dtype  -->  y f32[N, ...]
// As first layer it takes pixels of u8 to what a network likes: scale 1/255 gives [0, 1].
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Rescaling final : public sdk::Layer {
 public:
  explicit Rescaling(const sdk::Attributes& attributes)
      : scale_(attributes.Float("scale")), offset_(attributes.Float("offset")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    const Value wide = x.dtype() == FB_F32 ? x : Cast(x, FB_F32);
    return wide * scale_ + offset_;
  }

 private:
  double scale_, offset_;
};

FUSEBOX_PLUGIN(Rescaling, {.id = "fusebox/rescaling",
                           .doc = "x * scale + offset, in f32: [N, ...] to [N, ...]. Pixels of u8 to [0, 1], say.",
                           .keeps_mask = true,
                           .attributes = {sdk::Float("scale").Doc("what x is multiplied by, as 1/255"),
                                          sdk::Float("offset", 0.0).Doc("what is added to that")}});

}  // namespace
}  // namespace fusebox
