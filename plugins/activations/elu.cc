// SPDX-License-Identifier: Apache-2.0
// Exponential linear unit: x where x >= 0, alpha (exp(x) - 1) below 0. exp never sees an x above 0, so it cannot
// overflow.
// Source: Clevert, Unterthiner, Hochreiter (2016), Fast and Accurate Deep Network Learning by Exponential Linear Units.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class EluActivation final : public sdk::Activation {
 public:
  explicit EluActivation(const sdk::Attributes& attributes) : alpha_(attributes.Float("alpha")) {}

  Value Expand(sdk::Scope&, Value x) const override { return Select(Less(0, x), x, Expm1(Min(0, x)) * alpha_); }

 private:
  double alpha_;
};

FUSEBOX_PLUGIN(EluActivation, {.id = "fusebox/elu",
                               .doc = "x, and below 0 alpha * (exp(x) - 1).",
                               .attributes = {sdk::Float("alpha", 1).Doc("negated limit as x goes to -inf")}});

}  // namespace
}  // namespace fusebox
