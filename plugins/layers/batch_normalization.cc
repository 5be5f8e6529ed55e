// SPDX-License-Identifier: Apache-2.0
// Normalizes each feature to mean 0 and variance 1 over the batch, then scales and shifts it:
//     y = gamma (x - mean) / sqrt(variance + epsilon) + beta
// In training, mean and variance are those of the batch, and update the moving ones: moving * momentum + batch * (1 -
// momentum). Otherwise, and if the layer is frozen, they are the moving ones. Steps that a mask leaves out do not
// count. Weights are in Keras's order.
// Source: Ioffe, Szegedy (2015), Batch Normalization.
#include "fusebox/plugins/layers/axes.h"
#include "fusebox/plugins/layers/float_input.h"

namespace fusebox {
namespace {

class BatchNormalization final : public sdk::Layer {
 public:
  explicit BatchNormalization(const sdk::Attributes& attributes) : a_(attributes) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    x = AsFloat(x);
    if (x.rank() < 2) return scope.Error("expects input [batch, ...], got {}", x.type());
    const auto axes = FixedAxes(scope, x, {a_.Int("axis")});
    if (!axes) return {};
    const Dims sizes = SizesOf(x, *axes);
    const ScaleAndShift own(scope, a_, sizes);
    const Value moving_mean = scope.Weight("moving_mean", sizes, a_.Initializer("moving_mean_initializer"), false);
    const Value moving_variance =
        scope.Weight("moving_variance", sizes, a_.Initializer("moving_variance_initializer"), false);

    const bool of_batch = scope.training() && !scope.frozen();
    const Dims others = OtherAxes(x, *axes);
    const Value counts = Counts(scope, x);
    if (scope.Mask().ok() && !counts.ok()) return {};
    const Value mean = of_batch ? MeanOf(x, others, counts) : moving_mean;
    const Value centred = x - Along(mean, x, *axes);
    const Value variance = of_batch ? MeanOf(Square(centred), others, counts) : moving_variance;
    if (of_batch) {
      const Value momentum = scope.Scalar("momentum");
      scope.Assign(moving_mean, moving_mean * momentum + mean * (1 - momentum));
      scope.Assign(moving_variance, moving_variance * momentum + variance * (1 - momentum));
    }
    Value factor = 1 / Sqrt(variance + a_.Float("epsilon"));
    if (own.gamma.ok()) factor = factor * own.gamma;
    return own.Shifted(centred * Along(factor, x, *axes), x, *axes);
  }

 private:
  // Which elements of x count, in its shape; the error value if there is no mask.
  static Value Counts(sdk::Scope& scope, Value x) {
    const Value mask = scope.Mask();
    if (!mask.ok()) return mask;
    Dims column = mask.dims();
    if (mask.rank() != x.rank() - 1) {
      return scope.Error("expects a mask of one axis less than {}, got {}", x.type(), mask.type());
    }
    column.push_back(1);
    return Broadcast(Reshape(mask, column), x.dims());
  }
  // Mean of the elements that count. 1e-7 keeps it finite if none do, as in Keras.
  static Value MeanOf(Value x, const Dims& axes, Value counts) {
    if (!counts.ok()) return Mean(x, axes);
    return Sum(Select(counts, x, 0), axes) / (Sum(Cast(counts, x.dtype()), axes) + 1e-7);
  }

  sdk::Attributes a_;
};

FUSEBOX_PLUGIN(BatchNormalization,
               {.id = "fusebox/batch_normalization",
                .doc = "Normalizes features over the batch in training, by moving statistics otherwise.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Int("axis", -1).Doc("axis of the features"),
                    sdk::Float("momentum", 0.99).ProgramScalar().Doc("weight of the old moving statistics in the new"),
                    sdk::Float("epsilon", 1e-3).Min(0).Doc("added to the variance"),
                    sdk::Bool("center", true).Doc("adds beta"),
                    sdk::Bool("scale", true).Doc("multiplies by gamma"),
                    sdk::InitializerRef("beta_initializer", "zeros"),
                    sdk::InitializerRef("gamma_initializer", "ones"),
                    sdk::RegularizerRef("beta_regularizer"),
                    sdk::RegularizerRef("gamma_regularizer"),
                    sdk::ConstraintRef("beta_constraint"),
                    sdk::ConstraintRef("gamma_constraint"),
                    sdk::InitializerRef("moving_mean_initializer", "zeros"),
                    sdk::InitializerRef("moving_variance_initializer", "ones"),
                }});

}  // namespace
}  // namespace fusebox
