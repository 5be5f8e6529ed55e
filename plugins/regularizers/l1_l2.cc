// SPDX-License-Identifier: Apache-2.0
// l1 sum |x| + l2 sum x^2
// Source: Zou, Hastie (2005), Regularization and variable selection via the elastic net.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class L1L2 final : public sdk::Regularizer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    const Value l1 = scope.Scalar("l1");
    const Value l2 = scope.Scalar("l2");
    return l1 * Sum(Abs(x), sdk::AllAxes(x)) + l2 * Sum(Square(x), sdk::AllAxes(x));
  }
};

FUSEBOX_PLUGIN(L1L2, {.id = "fusebox/l1_l2",
                      .doc = "The sums of the magnitudes and of the squares.",
                      .attributes = {
                          sdk::Float("l1", 0.0).Min(0).ProgramScalar().Doc("factor of the magnitudes"),
                          sdk::Float("l2", 0.0).Min(0).ProgramScalar().Doc("factor of the squares"),
                      }});

}  // namespace
}  // namespace fusebox
