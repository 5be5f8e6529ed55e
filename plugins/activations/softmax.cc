// SPDX-License-Identifier: Apache-2.0
// exp(x) / sum(exp(x)) along the last axis. The largest x is subtracted first, which changes nothing but keeps exp from
// overflow. Source: Goodfellow, Bengio, Courville (2016), Deep Learning, section 4.1.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SoftmaxActivation final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects [batch, ..., classes], got {}", x.type());
    return Softmax(x);
  }
};

FUSEBOX_PLUGIN(SoftmaxActivation,
               {.id = "fusebox/softmax", .doc = "exp(x) / sum(exp(x)) along the last axis: probabilities of classes."});

}  // namespace
}  // namespace fusebox
