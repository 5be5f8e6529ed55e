// SPDX-License-Identifier: Apache-2.0
// Normal with variance 1 / fan_in, cut off at two deviations of the normal that is drawn from.
// Source: LeCun, Bottou, Orr, Mueller (1998), Efficient BackProp; in the form that Keras gives it.
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

class LecunNormal final : public sdk::Initializer {
 public:
  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return TruncatedNormalOfVariance(scope, type, 1, FansOf(type).in);
  }
};

FUSEBOX_PLUGIN(LecunNormal,
               {.id = "fusebox/lecun_normal", .doc = "Normal, cut off at two deviations; the variance is 1 / fan_in."});

}  // namespace
}  // namespace fusebox
