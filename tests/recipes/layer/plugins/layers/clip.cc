// SPDX-License-Identifier: Apache-2.0
// Keeps each element between two bounds:
//     x [N, ...] -> min(max(x, low), high), of x's shape
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Clip final : public sdk::Layer {
 public:
  explicit Clip(const sdk::Attributes& attributes) : low_(attributes.Float("low")), high_(attributes.Float("high")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (low_ > high_) return scope.Error("attribute 'low' must be at most 'high', {}, got {}", high_, low_);
    return Min(Max(x, low_), high_);
  }

 private:
  double low_, high_;
};

FUSEBOX_PLUGIN(Clip,
               {.id = "fusebox/clip",
                .doc = "Keeps each element between two bounds.",
                .attributes = {sdk::Float("low", 0).Doc("lower bound"), sdk::Float("high", 1).Doc("upper bound")}});

}  // namespace
}  // namespace fusebox
