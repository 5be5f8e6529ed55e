// SPDX-License-Identifier: Apache-2.0
// ReLU with a learned slope below 0, one for each element of a sample:
//     x [N, ...], alpha [...], where shared_axes have size 1
// Source: He et al. (2015), Delving Deep into Rectifiers.
#include "fusebox/plugins/layers/float_input.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Prelu final : public sdk::Layer {
 public:
  explicit Prelu(const sdk::Attributes& attributes)
      : alpha_(attributes.Rules("alpha")), shared_axes_(attributes.Ints("shared_axes")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    x = AsFloat(x);
    if (x.rank() < 2) return scope.Error("expects input [batch, ...], got {}", x.type());
    Dims dims = x.dims();
    dims.erase(dims.begin());
    for (const int64_t axis : shared_axes_) {
      if (axis < 1 || axis >= x.rank()) {
        return scope.Error("expects shared_axes from 1 to {} for {}, got {}", x.rank() - 1, x.type(), axis);
      }
      dims[size_t(axis - 1)] = 1;
    }
    const Value alpha = scope.Weight("alpha", dims, alpha_);
    return Relu(x) - alpha * Relu(-x);
  }

 private:
  sdk::WeightRules alpha_;
  Dims shared_axes_;
};

FUSEBOX_PLUGIN(Prelu, {.id = "fusebox/prelu",
                       .doc = "max(x, 0) + alpha * min(x, 0), with a learned alpha.",
                       .keeps_mask = true,
                       .attributes = {
                           sdk::InitializerRef("alpha_initializer", "zeros").Doc("initializer of alpha"),
                           sdk::RegularizerRef("alpha_regularizer"),
                           sdk::ConstraintRef("alpha_constraint"),
                           sdk::OptionalInts("shared_axes").Doc("axes along which alpha is shared, counted from 1"),
                       }});

}  // namespace
}  // namespace fusebox
