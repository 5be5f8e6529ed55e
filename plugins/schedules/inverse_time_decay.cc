// SPDX-License-Identifier: Apache-2.0
// initial_learning_rate / (1 + decay_rate step / decay_steps). With `staircase`, the quotient is rounded down.
// Source: Keras.
#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class InverseTimeDecay final : public sdk::Schedule {
 public:
  explicit InverseTimeDecay(const sdk::Attributes& attributes) : staircase_(attributes.Bool("staircase")) {}

  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value initial = Wide(scope, "initial_learning_rate");
    const Value rate = Wide(scope, "decay_rate");
    const Value p = step / Wide(scope, "decay_steps");
    return initial / (1 + rate * (staircase_ ? Floor(p) : p));
  }

 private:
  bool staircase_;
};

FUSEBOX_PLUGIN(
    InverseTimeDecay,
    {.id = "fusebox/inverse_time_decay",
     .doc = "Divides the rate by a number that grows with the steps.",
     .attributes = {
         sdk::Float("initial_learning_rate").Min(0).ProgramScalar().Doc("at step 0"),
         sdk::Int("decay_steps").Min(1).ProgramScalar().Doc("steps in which the divisor grows by decay_rate"),
         sdk::Float("decay_rate").Min(0).ProgramScalar().Doc("growth of the divisor"),
         sdk::Bool("staircase", false).Doc("grows in one step, at the end of every decay_steps"),
     }});

}  // namespace
}  // namespace fusebox
