// SPDX-License-Identifier: Apache-2.0
// l2 sum x^2
// Source: Hoerl, Kennard (1970), Ridge regression: biased estimation for nonorthogonal problems.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class L2 final : public sdk::Regularizer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    return scope.Scalar("l2") * Sum(Square(x), sdk::AllAxes(x));
  }
};

FUSEBOX_PLUGIN(L2, {.id = "fusebox/l2",
                    .doc = "The sum of the squares.",
                    .attributes = {sdk::Float("l2", 0.01).Min(0).ProgramScalar().Doc("factor of the penalty")}});

}  // namespace
}  // namespace fusebox
