// SPDX-License-Identifier: Apache-2.0
// A number everywhere, or an array that broadcasts to the weight's shape, as in NumPy.
#include "fusebox/plugins/sdk/numbers.h"
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Constant final : public sdk::Initializer {
 public:
  explicit Constant(const sdk::Attributes& attributes)
      : numbers_(attributes.Floats("value")), shape_(attributes.Ints("shape")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    const Dims dims(type.dims, type.dims + type.rank);
    return Broadcast(sdk::BroadcastArray(scope, numbers_, shape_, type.dtype), dims);
  }

 private:
  std::vector<double> numbers_;
  Dims shape_;
};

FUSEBOX_PLUGIN(Constant,
               {.id = "fusebox/constant",
                .doc = "A number everywhere, or the numbers of an array.",
                .attributes = {sdk::Floats("value", "[0.0]").Doc("the number, or numbers along the last axis"),
                               sdk::OptionalInts("shape").Doc("shape of the numbers, if they are no vector")}});

}  // namespace
}  // namespace fusebox
