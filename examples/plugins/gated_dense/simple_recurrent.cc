// SPDX-License-Identifier: Apache-2.0
// The simplest layer with a memory: for each time step, h <- tanh(x W + h U + b). The result is the last h:
//     x [N, time, in]  -->  y [N, units]
// The loop is compiled as a loop, for any number of steps, and so is the loop of its gradient.
// Source: Elman (1990), Finding structure in time; keras.layers.SimpleRNN.
#include <fusebox/plugins/sdk/sdk.h>

namespace acme {
using namespace fusebox;

class SimpleRecurrent final : public sdk::Layer {
 public:
  explicit SimpleRecurrent(const sdk::Attributes& attributes) : units_(attributes.Int("units")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() != 3) return scope.Error("expects input [batch, time, features], got {}", x.type());
    const Value w = scope.Weight("kernel", {x.dim(-1), units_}, "glorot_uniform");
    const Value u = scope.Weight("recurrent_kernel", {units_, units_}, "orthogonal");
    const Value b = scope.Weight("bias", {units_}, "zeros");
    const Value nothing = Broadcast(scope.Constant(0), {x.dim(0), units_});
    const Value steps = Transpose(x, {1, 0, 2});
    const auto step = [&](const Values& h, const Values& now) -> Scanned {
      return {.carry = {Tanh(MatMul(now[0], w) + MatMul(h[0], u) + b)}};
    };
    return Scan(step, {nothing}, {steps}).carry[0];
  }

 private:
  int64_t units_;
};

FUSEBOX_PLUGIN(SimpleRecurrent, {.id = "acme/simple_recurrent",
                                 .doc = "h <- tanh(x W + h U + b) for each time step; returns the last h.",
                                 .attributes = {sdk::Int("units").Min(1).Doc("width of h")}});

}  // namespace acme
