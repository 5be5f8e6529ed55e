// SPDX-License-Identifier: Apache-2.0
// 0 for x <= -1, 1 for x >= 1, and a straight line between them: the derivative of sparse_plus.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class SparseSigmoid final : public sdk::Activation {
 public:
  Value Expand(sdk::Scope&, Value x) const override { return Min(Relu(x + 1), 2) * 0.5; }
};

FUSEBOX_PLUGIN(SparseSigmoid,
               {.id = "fusebox/sparse_sigmoid", .doc = "0 for x <= -1, 1 for x >= 1, (x + 1) / 2 between."});

}  // namespace
}  // namespace fusebox
