// SPDX-License-Identifier: Apache-2.0
// Random numbers with variance scale / n, where n is fan_in, fan_out or their mean:
//     truncated_normal      truncated at two standard deviations of the underlying normal
//     untruncated_normal    (normal is another name of truncated_normal)
//     uniform               in [-r, r) with r = sqrt(3 scale / n)
// Source: He, Zhang, Ren, Sun (2015), Delving deep into rectifiers; in Keras's form.
#include <string>

#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class VarianceScaling final : public sdk::Initializer {
 public:
  explicit VarianceScaling(const sdk::Attributes& attributes)
      : scale_(attributes.Float("scale")),
        mode_(attributes.String("mode")),
        distribution_(attributes.String("distribution")),
        seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    if (scale_ <= 0) return scope.Error("attribute 'scale' must be above 0, got {}", scale_);
    const Fans fans = FansOf(type);
    const bool in = mode_ == "fan_in", out = mode_ == "fan_out";
    if (!in && !out && mode_ != "fan_avg") {
      return scope.Error("attribute 'mode' must be fan_in, fan_out or fan_avg, got '{}'", mode_);
    }
    const double fan = in ? fans.in : out ? fans.out : (fans.in + fans.out) / 2;
    if (distribution_ == "uniform") return UniformOfVariance(scope, type, scale_, fan, seed_);
    if (distribution_ == "truncated_normal" || distribution_ == "normal") {
      return TruncatedNormalOfVariance(scope, type, scale_, fan, seed_);
    }
    if (distribution_ == "untruncated_normal") {
      return Normal(scope, type, 0, std::sqrt(scale_ / std::max(1.0, fan)), seed_);
    }
    return scope.Error(
        "attribute 'distribution' must be truncated_normal, untruncated_normal, normal or uniform, got '{}'",
        distribution_);
  }

 private:
  double scale_;
  std::string mode_, distribution_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(VarianceScaling,
               {.id = "fusebox/variance_scaling",
                .doc = "Random, with a variance that follows from the number of inputs or outputs.",
                .attributes = {
                    sdk::Float("scale", 1.0).Min(0).Doc("variance times fan"),
                    sdk::String("mode", "fan_in").Doc("fan_in, fan_out or fan_avg"),
                    sdk::String("distribution", "truncated_normal").Doc("or untruncated_normal, uniform"),
                    kSeed,
                }});

}  // namespace
}  // namespace fusebox
