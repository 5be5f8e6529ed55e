// SPDX-License-Identifier: Apache-2.0
// Permutes the axes of a sample. They count from 1, as the batch is axis 0:
//     x [N, a, b] --dims (2, 1)--> y [N, b, a]
#include <algorithm>

#include "fmt/ranges.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Permute final : public sdk::Layer {
 public:
  explicit Permute(const sdk::Attributes& attributes) : dims_(attributes.Ints("dims")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    Dims order = {0};
    order.insert(order.end(), dims_.begin(), dims_.end());
    Dims sorted = order;
    std::ranges::sort(sorted);
    for (size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] != int64_t(i)) {
        return scope.Error("expects dims that are a permutation of 1 to {}, got [{}]", dims_.size(),
                           fmt::join(dims_, ", "));
      }
    }
    if (x.rank() != int64_t(order.size())) {
      return scope.Error("expects input of rank {} for dims [{}], got {}", order.size(), fmt::join(dims_, ", "),
                         x.type());
    }
    return Transpose(x, order);
  }

 private:
  Dims dims_;
};

FUSEBOX_PLUGIN(Permute, {.id = "fusebox/permute",
                         .doc = "Permutes the axes of samples.",
                         .attributes = {sdk::Ints("dims").Min(1).Doc("axes in their new order, counted from 1")}});

}  // namespace
}  // namespace fusebox
