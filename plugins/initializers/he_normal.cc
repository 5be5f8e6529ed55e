// SPDX-License-Identifier: Apache-2.0
// Normal with standard deviation sqrt(2 / fan_in), cut off at two deviations of the normal that is drawn from. Cutting
// narrows it, which the factor 1 / 0.8796 makes good.
//
// Drawn by inversion: z = sqrt(2) erfinv(v) is normal for v uniform in (-1, 1), and |z| < 2 for |v| < erf(sqrt(2)).
// Source: He, Zhang, Ren, Sun (2015), Delving deep into rectifiers; in the form that Keras gives it.
#include <algorithm>
#include <cmath>

#include "fusebox/plugins/initializers/fans.h"

namespace fusebox {
namespace {

constexpr double kDeviationWhenCut = 0.87962566103423978;  // Of a normal cut off at +-2.

class HeNormal final : public sdk::Initializer {
 public:
  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    const double deviation = std::sqrt(2 / std::max(1.0, FansOf(type).in)) / kDeviationWhenCut;
    const double edge = std::erf(std::sqrt(2.0));
    const Value v = scope.Random(type) * (2 * edge) - edge;
    return ErfInv(v) * (std::sqrt(2.0) * deviation);
  }
};

FUSEBOX_PLUGIN(HeNormal, {.id = "fusebox/he_normal",
                          .doc = "Normal, cut off at two deviations; the deviation is sqrt(2 / fan_in)."});

}  // namespace
}  // namespace fusebox
