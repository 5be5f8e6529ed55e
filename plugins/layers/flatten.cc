// SPDX-License-Identifier: Apache-2.0
// Merges all axes but the batch into one:
//     x [N, d1, ..., dk]  -->  y [N, d1 * ... * dk]
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Flatten final : public sdk::Layer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    const Dims dims = x.dims();
    if (dims.empty()) return scope.Error("expects input [batch, ...], got {}", x.type());
    int64_t features = 1;
    for (size_t i = 1; i < dims.size(); ++i) {
      if (dims[i] < 0) return scope.Error("expects the batch only in the first axis, got {}", x.type());
      if (__builtin_mul_overflow(features, dims[i], &features)) return scope.Error("{} is too large", x.type());
    }
    return Reshape(x, {dims[0], features});
  }
};

FUSEBOX_PLUGIN(Flatten, {.id = "fusebox/flatten", .doc = "Merges all axes but the batch: [N, a, b] to [N, a*b]."});

}  // namespace
}  // namespace fusebox
