// SPDX-License-Identifier: Apache-2.0
// Fully connected layer, y = activation(x W + b):
//     x [N, ..., in] --matmul W [in, units]--> + b [units] --activation--> y [N, ..., units]
#include "fusebox/plugins/layers/float_input.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Dense final : public sdk::Layer {
 public:
  explicit Dense(const sdk::Attributes& attributes)
      : units_(attributes.Int("units")),
        activation_(attributes.Activation("activation")),
        use_bias_(attributes.Bool("use_bias")),
        kernel_(attributes.Rules("kernel")),
        bias_(attributes.Rules("bias")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 2) return scope.Error("expects input [batch, ..., features], got {}", x.type());
    if (x.dim(-1) < 1) return scope.Error("expects a fixed number of features, got {}", x.type());
    const Value w = scope.Weight("kernel", {x.dim(-1), units_}, kernel_);
    const Value product = MatMul(AsFloat(x), w);
    if (!use_bias_) return activation_(product);
    const Value b = scope.Weight("bias", {units_}, bias_);
    return activation_(product + b);
  }

 private:
  int64_t units_;
  sdk::Reference activation_;
  bool use_bias_;
  sdk::WeightRules kernel_, bias_;
};

FUSEBOX_PLUGIN(Dense,
               {.id = "fusebox/dense",
                .doc = "Fully connected layer, activation(x W + b): [N, ..., in] to [N, ..., units].",
                .keeps_mask = true,
                .attributes = {
                    sdk::Int("units").Min(1).Doc("width of the output"),
                    sdk::ActivationRef("activation", "linear").Doc("applied to the sum"),
                    sdk::Bool("use_bias", true).Doc("adds a vector b [units]"),
                    sdk::InitializerRef("kernel_initializer", "glorot_uniform").Doc("initializer of W [in, units]"),
                    sdk::InitializerRef("bias_initializer", "zeros").Doc("initializer of b"),
                    sdk::RegularizerRef("kernel_regularizer").Doc("penalty on W"),
                    sdk::RegularizerRef("bias_regularizer").Doc("penalty on b"),
                    sdk::RegularizerRef("activity_regularizer").Doc("penalty on the output, per sample"),
                    sdk::ConstraintRef("kernel_constraint").Doc("constraint on W"),
                    sdk::ConstraintRef("bias_constraint").Doc("constraint on b"),
                }});

}  // namespace
}  // namespace fusebox
