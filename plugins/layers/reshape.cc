// SPDX-License-Identifier: Apache-2.0
// Reshapes each sample, keeping its elements in row-major order:
//     x [N, ...] --> y [N, target_shape...]
#include <algorithm>

#include "fmt/ranges.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class ReshapeLayer final : public sdk::Layer {
 public:
  explicit ReshapeLayer(const sdk::Attributes& attributes) : target_shape_(attributes.Ints("target_shape")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 1) return scope.Error("expects input [batch, ...], got {}", x.type());
    Dims dims = x.dims();
    int64_t size = 1, known = 1;
    for (size_t i = 1; i < dims.size(); ++i) size *= dims[i];
    for (const int64_t d : target_shape_) {
      if (d >= 0) known *= d;
    }
    const auto open = std::ranges::count(target_shape_, -1);
    if (open > 1) return scope.Error("expects at most one -1 in target_shape, got {}", open);
    if (open == 1 ? known == 0 || size % known != 0 : known != size) {
      return scope.Error("cannot make samples of {} elements, as in {}, into target_shape [{}]", size, x.type(),
                         fmt::join(target_shape_, ", "));
    }
    dims.resize(1);
    for (const int64_t d : target_shape_) dims.push_back(d == -1 ? size / known : d);
    return Reshape(x, dims);
  }

 private:
  Dims target_shape_;
};

FUSEBOX_PLUGIN(ReshapeLayer,
               {.id = "fusebox/reshape",
                .doc = "Reshapes samples; one size may be -1, and follows from the others.",
                .attributes = {sdk::Ints("target_shape").Min(-1).Doc("shape of a sample, without the batch")}});

}  // namespace
}  // namespace fusebox
