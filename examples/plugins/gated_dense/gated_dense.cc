// SPDX-License-Identifier: Apache-2.0
// Fully connected layer with a gate, y = (x W + b) * sigmoid(x V + c):
//     x [N, ..., in]  -->  y [N, ..., units]
// Source: Dauphin, Fan, Auli, Grangier (2017), Language modeling with gated convolutional networks.
#include <fusebox/plugins/sdk/sdk.h>

namespace acme {
using namespace fusebox;

class GatedDense final : public sdk::Layer {
 public:
  explicit GatedDense(const sdk::Attributes& attributes) : units_(attributes.Int("units")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects input [batch, ..., features], got {}", x.type());
    const Value w = scope.Weight("kernel", {x.dim(-1), units_}, "glorot_uniform");
    const Value b = scope.Weight("bias", {units_}, "zeros");
    const Value v = scope.Weight("gate_kernel", {x.dim(-1), units_}, "glorot_uniform");
    const Value c = scope.Weight("gate_bias", {units_}, "zeros");
    const Value content = MatMul(x, w) + b;
    const Value gate = Sigmoid(MatMul(x, v) + c);
    return content * gate;
  }

 private:
  int64_t units_;
};

FUSEBOX_PLUGIN(GatedDense, {.id = "acme/gated_dense",
                            .doc = "Fully connected layer with a gate, (x W + b) * sigmoid(x V + c).",
                            .attributes = {sdk::Int("units").Min(1).Doc("width of the output")}});

}  // namespace acme
