// SPDX-License-Identifier: Apache-2.0
// (y_true - y_pred)^2, averaged over all axes but the batch:
//     y_true, y_pred [N, ...]  -->  loss [N]
// As in Keras, y_true may lack a last axis of size 1, or have one too many.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class MeanSquaredError final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    Dims got = y_true.dims(), expected = y_pred.dims();
    if (expected.empty()) return scope.Error("expects predictions [batch, ...], got {}", y_pred.type());
    if (got.size() + 1 == expected.size()) got.push_back(1);
    if (got.size() == expected.size() + 1 && got.back() == 1) got.pop_back();
    if (got != expected) return scope.Error("expects targets like {}, got {}", y_pred.type(), y_true.type());

    Value target = y_true.dtype() == y_pred.dtype() ? y_true : Cast(y_true, y_pred.dtype());
    if (y_true.rank() != y_pred.rank()) target = Reshape(target, expected);
    const Value squares = Square(y_pred - target);
    Dims axes;
    for (int64_t i = 1; i < y_pred.rank(); ++i) axes.push_back(i);
    return axes.empty() ? squares : Mean(squares, axes);
  }
};

FUSEBOX_PLUGIN(MeanSquaredError,
               {.id = "fusebox/mean_squared_error", .doc = "Mean of (y_true - y_pred)^2 over all axes but the batch."});

}  // namespace
}  // namespace fusebox
