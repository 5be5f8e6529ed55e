// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Zeros final : public sdk::Initializer {
 public:
  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    return Broadcast(scope.Constant(0, type.dtype), Dims(type.dims, type.dims + type.rank));
  }
};

FUSEBOX_PLUGIN(Zeros, {.id = "fusebox/zeros", .doc = "0 everywhere."});

}  // namespace
}  // namespace fusebox
