// SPDX-License-Identifier: Apache-2.0
// Square root of the mean of (y_true - y_pred)^2 over the epoch so far.
//     y_true, y_pred [N, ..., C]
// As in Keras, masked steps count like the others.
#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {
namespace {

class RootMeanSquaredError final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    return Sqrt(scope.UnmaskedMean(Square(predicted - target)));
  }
};

FUSEBOX_PLUGIN(RootMeanSquaredError,
               {.id = "fusebox/root_mean_squared_error", .doc = "Square root of the mean of (y_true - y_pred)^2."});

}  // namespace
}  // namespace fusebox
