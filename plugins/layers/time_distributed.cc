// SPDX-License-Identifier: Apache-2.0
// Applies a layer to each time step separately, with the same weights:
//     x [N, T, ...] --> [N*T, ...] --layer--> [N*T, ...] --> y [N, T, ...]
// To the layer, each step is a sample. A layer whose results depend on other samples would therefore see the samples of
// all steps at once, while in Keras it sees one step after another: BatchNormalization is refused in training.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class TimeDistributed final : public sdk::Layer {
 public:
  explicit TimeDistributed(const sdk::Attributes& attributes) : layer_(attributes.Layer("layer")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 3) return scope.Error("expects input [batch, time, ...] of rank 3 or more, got {}", x.type());
    const Dims dims = x.dims();
    if (dims[0] >= 0 || dims[1] < 1) return scope.Error("expects a fixed number of steps in axis 1, got {}", x.type());
    if (scope.training() && !scope.frozen() && layer_.text().find("batch_normalization") != std::string::npos) {
      return scope.Error(
          "cannot train batch_normalization step by step: put it on [batch, time, features] itself, where its "
          "statistics "
          "are of all steps");
    }
    // Keras drops the penalty inside this layer.
    if (layer_.text().find("activity_regularization") != std::string::npos) {
      return scope.Error("takes no activity_regularization, whose penalty Keras drops inside this layer: put it after");
    }
    Dims merged(dims.begin() + 1, dims.end());
    if (__builtin_mul_overflow(dims[0], dims[1], &merged[0])) return scope.Error("{} is too large", x.type());
    const Value y = layer_(Reshape(x, merged));
    if (!y.ok()) return y;
    Dims made = y.dims();
    if (made.empty() || made[0] != merged[0]) {
      return scope.Error("expects a layer that makes a result for each of its samples, got {} from {}", y.type(),
                         ToString(MakeType(x.dtype(), merged)));
    }
    made.insert(made.begin() + 1, dims[1]);
    made[0] = dims[0];
    return Reshape(y, made);
  }

 private:
  sdk::Reference layer_;
};

FUSEBOX_PLUGIN(TimeDistributed, {.id = "fusebox/time_distributed",
                                 .doc = "Applies a layer to each step of [N, T, ...], with the same weights.",
                                 .keeps_mask = true,
                                 .attributes = {sdk::LayerRef("layer").Doc("layer applied to a step, [N, ...]")}});

}  // namespace
}  // namespace fusebox
