// SPDX-License-Identifier: Apache-2.0
// log(softmax(x)) along an axis, as x - log(sum(exp(x))), which stays finite where softmax would be 0.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class LogSoftmax final : public sdk::Activation {
 public:
  explicit LogSoftmax(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects [batch, ..., classes], got {}", x.type());
    return x - LogSumExp(x, {axis_});
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(LogSoftmax,
               {.id = "fusebox/log_softmax",
                .doc = "x - log(sum(exp(x))) along an axis: logarithms of probabilities.",
                .attributes = {sdk::Int("axis", -1).Doc("axis along which exp of the results adds up to 1")}});

}  // namespace
}  // namespace fusebox
