// SPDX-License-Identifier: Apache-2.0
// Matrix with `gain` on the diagonal and 0 elsewhere. The diagonal of a matrix that is not square is that of its
// leading square.
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
                          .doc = "Identity matrix, times gain.",
                          .attributes = {sdk::Float("gain", 1.0).Doc("value on the diagonal")}});

}  // namespace
}  // namespace fusebox
