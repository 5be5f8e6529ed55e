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
      return scope.Error("expects one value more than boundaries, got {} boundaries and {} values", boundaries_.size(),
                         values_.size());
    }
    for (size_t i = 1; i < boundaries_.size(); ++i) {
      if (boundaries_[i - 1] < boundaries_[i]) continue;
      return scope.Error("expects rising boundaries, got {} before {}", boundaries_[i - 1], boundaries_[i]);
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
                .doc = "One rate after the other.",
                .attributes = {
                    sdk::Floats("boundaries").Doc("the last step of each rate but the last one"),
                    sdk::Floats("values").Doc("the rates"),
                }});

}  // namespace
}  // namespace fusebox
