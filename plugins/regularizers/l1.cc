// SPDX-License-Identifier: Apache-2.0
// l1 sum |x|
// Source: Tibshirani (1996), Regression shrinkage and selection via the lasso.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class L1 final : public sdk::Regularizer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override { return scope.Scalar("l1") * Sum(Abs(x), sdk::AllAxes(x)); }
};

FUSEBOX_PLUGIN(L1, {.id = "fusebox/l1",
                    .doc = "The sum of the magnitudes.",
                    .attributes = {sdk::Float("l1", 0.01).Min(0).ProgramScalar().Doc("factor of the penalty")}});

}  // namespace
}  // namespace fusebox
