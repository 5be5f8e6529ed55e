// SPDX-License-Identifier: Apache-2.0
// initial_learning_rate decay_rate^(step / decay_steps). With `staircase`, the exponent is rounded down.
// Source: Keras.
#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class ExponentialDecay final : public sdk::Schedule {
 public:
  explicit ExponentialDecay(const sdk::Attributes& attributes) : staircase_(attributes.Bool("staircase")) {}

  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value initial = Wide(scope, "initial_learning_rate");
    const Value rate = Wide(scope, "decay_rate");
    const Value p = step / Wide(scope, "decay_steps");
    return initial * Power(rate, staircase_ ? Floor(p) : p);
  }

 private:
  bool staircase_;
};

FUSEBOX_PLUGIN(ExponentialDecay,
               {.id = "fusebox/exponential_decay",
                .doc = "Multiplies the rate by decay_rate every decay_steps.",
                .attributes = {
                    sdk::Float("initial_learning_rate").Min(0).ProgramScalar().Doc("at step 0"),
                    sdk::Int("decay_steps").Min(1).ProgramScalar().Doc("steps of one decay"),
                    sdk::Float("decay_rate").Min(0).ProgramScalar().Doc("factor of one decay"),
                    sdk::Bool("staircase", false).Doc("decays in one step, at the end of every decay_steps"),
                }});

}  // namespace
}  // namespace fusebox
