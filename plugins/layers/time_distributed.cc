// SPDX-License-Identifier: Apache-2.0
// A layer on each step of time by itself, with the same weights:
//     x [N, T, ...] --> [N*T, ...] --layer--> [N*T, ...] --> y [N, T, ...]
// A step is to the layer what a sample is else. So one whose results depend on the other samples would see those of all
// steps at once, where Keras lets it see one step after another: BatchNormalization, in training, is refused.
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
    // There its penalty is forgotten.
    if (layer_.text().find("activity_regularization") != std::string::npos) {
      return scope.Error(
          "takes no activity_regularization, which adds nothing to the loss here in Keras: put it behind");
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
                                 .doc = "A layer on each step of [N, T, ...] by itself, with the same weights.",
                                 .keeps_mask = true,
                                 .attributes = {sdk::LayerRef("layer").Doc("what is done with a step, [N, ...]")}});

}  // namespace
}  // namespace fusebox
