// SPDX-License-Identifier: Apache-2.0
// values[i] while step <= boundaries[i], and the last value after the last boundary. Source: Keras.
#include <vector>

#include "fusebox/plugins/schedules/numbers.h"

namespace fusebox {
namespace {

class PiecewiseConstantDecay final : public sdk::Schedule {
 public:
  explicit PiecewiseConstantDecay(const sdk::Attributes& attributes)
      : boundaries_(attributes.Floats("boundaries")), values_(attributes.Floats("values")) {}

  Value Expand(sdk::Scope& scope, Value step) const override {
    if (values_.size() != boundaries_.size() + 1) {
      return scope.Error("expects one more value than boundaries, got {} boundaries and {} values", boundaries_.size(),
                         values_.size());
    }
    for (size_t i = 1; i < boundaries_.size(); ++i) {
      if (boundaries_[i - 1] < boundaries_[i]) continue;
      return scope.Error("expects increasing boundaries, got {} before {}", boundaries_[i - 1], boundaries_[i]);
    }
    Value rate = scope.Constant(values_.back(), FB_F64);
    for (size_t i = boundaries_.size(); i > 0; --i) {
      rate = Select(LessEqual(step, boundaries_[i - 1]), values_[i - 1], rate);
    }
    return rate;
  }

 private:
  std::vector<double> boundaries_, values_;
};

FUSEBOX_PLUGIN(PiecewiseConstantDecay,
               {.id = "fusebox/piecewise_constant_decay",
                .doc = "A constant rate between boundaries.",
                .attributes = {
                    sdk::Floats("boundaries").Doc("last step of each rate except the final one"),
                    sdk::Floats("values").Doc("rates, one more than boundaries"),
                }});

}  // namespace
}  // namespace fusebox
