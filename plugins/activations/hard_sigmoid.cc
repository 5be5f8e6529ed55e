// SPDX-License-Identifier: Apache-2.0
// Sigmoid in three straight pieces, relu6(x + 3) / 6. In Keras 1 and 2 the middle one is 0.2 x + 1/2.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class HardSigmoid final : public sdk::Activation {
 public:
  explicit HardSigmoid(const sdk::Attributes& attributes) : slope_(attributes.Float("slope")) {}

  Value Expand(sdk::Scope&, Value x) const override {
    if (slope_ == sdk::kNone) return Min(Relu(x + 3), 6) / 6;
    return Min(Relu(slope_ * x + 0.5), 1);
  }

 private:
  double slope_;
};

FUSEBOX_PLUGIN(HardSigmoid,
               {.id = "fusebox/hard_sigmoid",
                .doc = "max(0, min(x / 6 + 1/2, 1)).",
                .attributes = {
                    sdk::Float("slope", sdk::kNone).Doc("of the middle piece, 1/6 unless given; 0.2 in Keras 2")}});

}  // namespace
}  // namespace fusebox
