// SPDX-License-Identifier: Apache-2.0
// gain on the diagonal of a matrix, 0 elsewhere; of one with more rows than columns, or fewer, on that of its square part.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Identity final : public sdk::Initializer {
 public:
  explicit Identity(const sdk::Attributes& attributes) : gain_(attributes.Float("gain")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    if (type.rank != 2) return scope.Error("makes matrices, got {}", type);
    const Value all = Broadcast(scope.Constant(gain_, type.dtype), Dims(type.dims, type.dims + type.rank));
    return Select(Equal(Iota(all, 0), Iota(all, 1)), all, 0.0);
  }

 private:
  double gain_;
};

FUSEBOX_PLUGIN(Identity, {.id = "fusebox/identity",
                          .doc = "A matrix that keeps what it is multiplied with.",
                          .attributes = {sdk::Float("gain", 1.0).Doc("the numbers on the diagonal")}});

}  // namespace
}  // namespace fusebox
