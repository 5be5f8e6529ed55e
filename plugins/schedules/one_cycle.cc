// SPDX-License-Identifier: Apache-2.0
// One rise and one fall, both half cosine waves. Not in Keras. With a = pct_start total_steps - 1 and b = total_steps -
// 1:
//     step <= a    from max / div_factor to max,                             p = step / a
//     then         from max to max / div_factor / final_div_factor,          p = (step - a) / (b - a)
//     a wave       end + (begin - end) (1 + cos(pi p)) / 2
// Source: Smith, Topin (2018), Super-convergence: very fast training of neural networks using large learning rates.
// Names, defaults and form are those of torch.optim.lr_scheduler.OneCycleLR with anneal_strategy "cos".
#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class OneCycle final : public sdk::Schedule {
 public:
  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value top = Wide(scope, "max_lr");
    const Value total = Wide(scope, "total_steps");
    const Value initial = top / Wide(scope, "div_factor");
    const Value final = initial / Wide(scope, "final_div_factor");
    const Value rise = Wide(scope, "pct_start") * total - 1;
    const Value fall = (total - 1) - rise;
    const auto wave = [](Value begin, Value end, Value part) {
      return end + (begin - end) * (0.5 * (1 + CosPi(Min(Max(part, 0), 1))));
    };
    const Value rising = wave(initial, top, Select(Greater(rise, 0), step / rise, 1.0));
    const Value falling = wave(top, final, Select(Greater(fall, 0), (step - rise) / fall, 1.0));
    return Select(LessEqual(step, rise), rising, falling);
  }
};

FUSEBOX_PLUGIN(
    OneCycle,
    {.id = "fusebox/one_cycle",
     .doc = "One rise and one fall (not in Keras).",
     .attributes = {
         sdk::Float("max_lr").Min(0).ProgramScalar().Doc("maximum rate"),
         sdk::Int("total_steps").Min(1).ProgramScalar().Doc("steps of rise and fall"),
         sdk::Float("pct_start", 0.3).Range(0, 1).ProgramScalar().Doc("fraction of the steps in which the rate rises"),
         sdk::Float("div_factor", 25.0).Min(1).ProgramScalar().Doc("max_lr divided by the rate at step 0"),
         sdk::Float("final_div_factor", 1e4).Min(1).ProgramScalar().Doc("rate at step 0 divided by the last rate"),
     }});

}  // namespace
}  // namespace fusebox
