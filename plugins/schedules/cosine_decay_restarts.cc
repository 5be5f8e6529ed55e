// SPDX-License-Identifier: Apache-2.0
// Half cosine waves in sequence. The i-th is t_mul^i times as long as the first and m_mul^i times as high:
//     initial ((1 - alpha) m_mul^i (1 + cos(pi p)) / 2 + alpha),   p the fraction of the wave that is done
// The i-th wave begins at first_decay_steps (1 - t_mul^i) / (1 - t_mul), or first_decay_steps i if t_mul is 1.
// Source: Loshchilov, Hutter (2017), SGDR: stochastic gradient descent with warm restarts; in Keras's form.
#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class CosineDecayRestarts final : public sdk::Schedule {
 public:
  explicit CosineDecayRestarts(const sdk::Attributes& attributes) : equally_long_(attributes.Float("t_mul") == 1) {}

  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value initial = Wide(scope, "initial_learning_rate");
    const Value alpha = Wide(scope, "alpha");
    const Value done = step / Wide(scope, "first_decay_steps");
    const Value growth = Wide(scope, "t_mul");
    const Value m_mul = Wide(scope, "m_mul");
    Value wave = Floor(done), part = done - wave;
    if (!equally_long_) {
      // The quotient of logarithms may lie just below the integer that it stands for.
      constexpr double kRounding = 1e-9;
      wave = Floor(Log(1 - done * (1 - growth)) / Log(growth) + kRounding);
      const Value length = Power(growth, wave);
      part = Max((done - (1 - length) / (1 - growth)) / length, 0);
    }
    const Value height = Power(m_mul, wave);
    return initial * ((1 - alpha) * (0.5 * height * (1 + CosPi(part))) + alpha);
  }

 private:
  bool equally_long_;
};

FUSEBOX_PLUGIN(
    CosineDecayRestarts,
    {.id = "fusebox/cosine_decay_restarts",
     .doc = "Falls along half a cosine wave repeatedly.",
     .attributes = {
         sdk::Float("initial_learning_rate").Min(0).ProgramScalar().Doc("at step 0"),
         sdk::Int("first_decay_steps").Min(1).ProgramScalar().Doc("steps of the first decay"),
         sdk::Float("t_mul", 2.0).Min(1).ProgramScalar().Doc("factor from the length of each decay to the next"),
         sdk::Float("m_mul", 1.0).Min(0).ProgramScalar().Doc("factor from the initial rate of each decay to the next"),
         sdk::Float("alpha", 0.0).ProgramScalar().Doc("fraction left at the end"),
     }});

}  // namespace
}  // namespace fusebox
