// SPDX-License-Identifier: Apache-2.0
// Half a cosine wave, after a linear warmup if there is a warmup_target:
//     step < warmup_steps    initial + (warmup_target - initial) step / warmup_steps
//     then                   top ((1 - alpha) (1 + cos(pi p)) / 2 + alpha),   p = min(steps since / decay_steps, 1)
// where top is warmup_target, or initial without one.
// Source: Loshchilov, Hutter (2017), SGDR: stochastic gradient descent with warm restarts; in Keras's form.
#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class CosineDecay final : public sdk::Schedule {
 public:
  explicit CosineDecay(const sdk::Attributes& attributes) : warms_up_(attributes.Has("warmup_target")) {}

  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value initial = Wide(scope, "initial_learning_rate");
    const Value steps = Wide(scope, "decay_steps");
    const Value alpha = Wide(scope, "alpha");
    const auto decayed = [&](Value top, Value since) {
      const Value wave = 0.5 * (1 + CosPi(Min(since / steps, 1)));
      return top * ((1 - alpha) * wave + alpha);
    };
    if (!warms_up_) return decayed(initial, step);
    const Value target = Wide(scope, "warmup_target");
    const Value warmup = Wide(scope, "warmup_steps");
    const Value rising = initial + (target - initial) * (step / Max(warmup, 1));
    return Select(Less(step, warmup), rising, decayed(target, Max(step - warmup, 0)));
  }

 private:
  bool warms_up_;
};

FUSEBOX_PLUGIN(CosineDecay,
               {.id = "fusebox/cosine_decay",
                .doc = "Falls along half a cosine wave, optionally after a linear warmup.",
                .attributes = {
                    sdk::Float("initial_learning_rate").Min(0).ProgramScalar().Doc("at step 0"),
                    sdk::Int("decay_steps").Min(1).ProgramScalar().Doc("steps of the decay"),
                    sdk::Float("alpha", 0.0).ProgramScalar().Doc("fraction left at the end"),
                    sdk::Float("warmup_target").Optional().Min(0).ProgramScalar().Doc("rate after the warmup"),
                    sdk::Int("warmup_steps", 0).Min(0).ProgramScalar().Doc("steps of the warmup"),
                }});

}  // namespace
}  // namespace fusebox
