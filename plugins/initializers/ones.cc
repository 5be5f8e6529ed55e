// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Ones final : public sdk::Initializer {
 public:
  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return Broadcast(scope.Constant(1, type.dtype), Dims(type.dims, type.dims + type.rank));
  }
};

FUSEBOX_PLUGIN(Ones, {.id = "fusebox/ones", .doc = "1 everywhere."});

}  // namespace
}  // namespace fusebox
