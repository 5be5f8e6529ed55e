// SPDX-License-Identifier: Apache-2.0
// (initial - end) (1 - step / decay_steps)^power + end, and end after decay_steps. With `cycle`, decay_steps is
// replaced by its smallest multiple that is at least step, so that the rate rises again and falls more slowly.
// Source: Keras.
#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class PolynomialDecay final : public sdk::Schedule {
 public:
  explicit PolynomialDecay(const sdk::Attributes& attributes) : cycle_(attributes.Bool("cycle")) {}

  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value initial = Wide(scope, "initial_learning_rate");
    const Value end = Wide(scope, "end_learning_rate");
    const Value power = Wide(scope, "power");
    const Value steps = Wide(scope, "decay_steps");
    const Value cycles = Max(-Floor(-(step / steps)), 1);
    const Value part = cycle_ ? step / (steps * cycles) : Min(step / steps, 1);
    const Value left = 1 - part;
    // Power takes a logarithm, which fails where nothing is left: the result is 0 there, or 1 if the power is 0, as 0^0
    // is 1 everywhere.
    const Value raised = Select(Equal(power, 0), 1.0, Select(Greater(left, 0), Power(Max(left, 1e-300), power), 0.0));
    return (initial - end) * raised + end;
  }

 private:
  bool cycle_;
};

FUSEBOX_PLUGIN(PolynomialDecay,
               {.id = "fusebox/polynomial_decay",
                .doc = "Falls to end_learning_rate along a polynomial.",
                .attributes = {
                    sdk::Float("initial_learning_rate").Min(0).ProgramScalar().Doc("at step 0"),
                    sdk::Int("decay_steps").Min(1).ProgramScalar().Doc("steps until the end"),
                    sdk::Float("end_learning_rate", 0.0001).Min(0).ProgramScalar().Doc("at the end"),
                    sdk::Float("power", 1.0).Min(0).ProgramScalar().Doc("exponent; 1 is a straight line"),
                    sdk::Bool("cycle", false).Doc("rises again after decay_steps"),
                }});

}  // namespace
}  // namespace fusebox
