// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Constant final : public sdk::Initializer {
 public:
  explicit Constant(const sdk::Attributes& attributes) : value_(attributes.Float("value")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return Broadcast(scope.Constant(value_, type.dtype), Dims(type.dims, type.dims + type.rank));
  }

 private:
  double value_;
};

FUSEBOX_PLUGIN(Constant, {.id = "fusebox/constant",
                          .doc = "The same number everywhere.",
                          .attributes = {sdk::Float("value", 0.0).Doc("the number")}});

}  // namespace
}  // namespace fusebox
