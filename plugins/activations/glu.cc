// SPDX-License-Identifier: Apache-2.0
// Gated linear unit: splits the axis into two halves a and b, y = a sigmoid(b).
// Source: Dauphin et al. (2017), Language Modeling with Gated Convolutional Networks.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Glu final : public sdk::Activation {
 public:
  explicit Glu(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    const int64_t size = x.dim(axis_);
    if (size < 2 || size % 2 != 0) return scope.Error("expects an even size of axis {}, got {}", axis_, x.type());
    const Value a = Slice(x, axis_, 0, size / 2);
    const Value b = Slice(x, axis_, size / 2, size);
    return a * Sigmoid(b);
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(Glu, {.id = "fusebox/glu",
                     .doc = "The first half along an axis, times the sigmoid of the second half.",
                     .attributes = {sdk::Int("axis", -1).Doc("axis to split in two")}});

}  // namespace
}  // namespace fusebox
