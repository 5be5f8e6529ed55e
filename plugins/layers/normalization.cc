// SPDX-License-Identifier: Apache-2.0
// Normalizes data to mean 0 and variance 1, by statistics that are known beforehand:
//     y = (x - mean) / max(sqrt(variance), 1e-7),  inverted: y = x max(sqrt(variance), 1e-7) + mean
// with a mean and a variance for each index of the axes (no axes: one of each for all). They are given as attributes,
// or are untrained weights, 0 and 1 until fb::Normalization().Adapt(data) computes them. As in Keras, there is also a
// weight `count`, which is 0.
#include "fusebox/plugins/layers/axes.h"
#include "fusebox/plugins/sdk/numbers.h"

namespace fusebox {
namespace {

class Normalization final : public sdk::Layer {
 public:
  explicit Normalization(const sdk::Attributes& attributes) : a_(attributes) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 1) return scope.Error("expects input [batch, ...], got {}", x.type());
    if (a_.Has("mean") != a_.Has("variance")) return scope.Error("expects both mean and variance, or neither");
    const auto axes = a_.Ints("axis").empty() ? std::optional(Dims()) : FixedAxes(scope, x, a_.Ints("axis"));
    if (!axes) return {};
    const Dims sizes = SizesOf(x, *axes);
    Value mean, variance;
    if (a_.Has("mean")) {
      mean = Given(scope, "mean", x, *axes);
      variance = Given(scope, "variance", x, *axes);
    } else {
      mean = Spread(scope.Weight("mean", sizes, "zeros", false), x, *axes);
      variance = Spread(scope.Weight("variance", sizes, "ones", false), x, *axes);
      scope.Statistic("count", MakeType(FB_I32, {}), "zeros");
    }
    const Value wide = x.dtype() == FB_F32 ? x : Cast(x, FB_F32);
    const Value deviation = Max(Sqrt(variance), 1e-7);
    return a_.Bool("invert") ? mean + wide * deviation : (wide - mean) / deviation;
  }

 private:
  static Value Spread(Value statistic, Value x, const Dims& axes) {
    return axes.empty() || !statistic.ok() ? statistic : Along(statistic, x, axes);
  }

  // One number for all, one for each index of the last kept axis, or one for each of all kept axes. An array of another
  // shape, which the attribute says, has its axes at the last of those that are kept.
  Value Given(sdk::Scope& scope, const std::string& name, Value x, const Dims& axes) const {
    const std::vector<double> numbers = a_.Floats(name);
    const auto count = int64_t(numbers.size());
    Dims shape = a_.Ints(name + "_shape");
    if (count == 1) return scope.Constant(numbers[0]);
    int64_t all = 1;
    for (const int64_t axis : axes) all *= x.dim(axis);
    if (shape.empty()) shape = count == all ? SizesOf(x, axes) : Dims{count};
    Dims spread(size_t(x.rank()), 1);
    for (size_t i = 0; i < shape.size(); ++i) {
      const int64_t axis = i < axes.size() ? axes[axes.size() - 1 - i] : -1;
      const int64_t size = shape[shape.size() - 1 - i];
      if (axis < 0 || (size != 1 && size != x.dim(axis))) {
        return scope.Error("expects {} numbers as {} for {}, or one, got {}", all, name, x.type(), count);
      }
      spread[size_t(axis)] = size;
    }
    return sdk::ArrayOf(scope, numbers, spread);
  }

  sdk::Attributes a_;
};

FUSEBOX_PLUGIN(Normalization,
               {.id = "fusebox/normalization",
                .doc = "(x - mean) / sqrt(variance), with statistics that Adapt computes or that are given.",
                .keeps_mask = true,
                .attributes = {
                    sdk::Ints("axis", kLast).Doc("axes with a mean and a variance for each index; none: one for all"),
                    sdk::Floats("mean").Optional().Doc("if given, the layer has no weights"),
                    sdk::Floats("variance").Optional().Doc("required with mean"),
                    sdk::Bool("invert", false).Doc("computes the inverse, x sqrt(variance) + mean"),
                    sdk::OptionalInts("mean_shape").Doc("shape of the means, if they are no vector"),
                    sdk::OptionalInts("variance_shape").Doc("shape of the variances, if they are no vector"),
                }});

}  // namespace
}  // namespace fusebox
