// SPDX-License-Identifier: Apache-2.0
// exp(x) / sum(exp(x)) along an axis. The largest x is subtracted first: the result is the same, and exp cannot
// overflow.
// Source: Goodfellow, Bengio, Courville (2016), Deep Learning, section 4.1.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SoftmaxActivation final : public sdk::Activation {
 public:
  explicit SoftmaxActivation(const sdk::Attributes& attributes) : axis_(attributes.Int("axis")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects [batch, ..., classes], got {}", x.type());
    return Softmax(x, {axis_});
  }

 private:
  int64_t axis_;
};

FUSEBOX_PLUGIN(SoftmaxActivation,
               {.id = "fusebox/softmax",
                .doc = "exp(x) / sum(exp(x)) along an axis: probabilities of classes.",
                .attributes = {sdk::Int("axis", -1).Doc("axis along which the results add up to 1")}});

}  // namespace
}  // namespace fusebox
