// SPDX-License-Identifier: Apache-2.0
// Repeats a vector n times:
//     x [N, features] --> y [N, n, features]
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class RepeatVector final : public sdk::Layer {
 public:
  explicit RepeatVector(const sdk::Attributes& attributes) : n_(attributes.Int("n")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() != 2) return scope.Error("expects input [batch, features], got {}", x.type());
    const int64_t batch = x.dim(0), features = x.dim(1);
    return Broadcast(Reshape(x, {batch, 1, features}), {batch, n_, features});
  }

 private:
  int64_t n_;
};

FUSEBOX_PLUGIN(RepeatVector, {.id = "fusebox/repeat_vector",
                              .doc = "[N, features] repeated n times: [N, n, features].",
                              .attributes = {sdk::Int("n").Min(1).Doc("number of repetitions")}});

}  // namespace
}  // namespace fusebox
