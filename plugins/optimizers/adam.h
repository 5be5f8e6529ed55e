// SPDX-License-Identifier: Apache-2.0
// Adam, and AdamW, which differs only in the default of weight_decay (the host decays weights for every optimizer).
// With variable w, gradient g, learning rate lr, step t, counted from 1:
//     m <- m + (1 - beta_1) (g - m),   v <- v + (1 - beta_2) (g^2 - v)
//     w <- w - lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)
// amsgrad: v_hat <- max(v_hat, v) replaces v in the last line.
// Sources: Kingma, Ba (2014), Adam: a method for stochastic optimization; Reddi, Kale, Kumar (2018), On the convergence
// of Adam and beyond; Loshchilov, Hutter (2019), Decoupled weight decay regularization; in Keras's form.
#pragma once
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {

class Adam : public sdk::Optimizer {
 public:
  explicit Adam(const sdk::Attributes& attributes) : amsgrad_(attributes.Bool("amsgrad")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    auto [m, v] = UpdateMoments(scope, gradient);
    if (amsgrad_) {
      const Value v_hat = scope.Slot("velocity_hat", variable.type(), "zeros", 1);
      v = Max(v_hat, v);
      scope.Assign(v_hat, v);
    }
    const Value correction = Sqrt(BiasCorrection(scope, "beta_2")) / BiasCorrection(scope, "beta_1");
    const Value alpha = learning_rate * Cast(correction, FB_F32);
    return variable - m * alpha / (Sqrt(v) + scope.Scalar("epsilon"));
  }

 private:
  bool amsgrad_;
};

}  // namespace fusebox
