// SPDX-License-Identifier: Apache-2.0
// Categories by their numbers as vectors with an element for each: see encoding.h. With output_mode count a second input,
// of the shape of the first, may say how much each number counts:
//     x [N, length], count_weights [N, length]  -->  y f32[N, num_tokens]
// As in Keras on JAX, a number outside [0, num_tokens) is in no category.
#include "fusebox/plugins/layers/encoding.h"

namespace fusebox {
namespace {

class CategoryEncoding final : public sdk::MergeLayer {
 public:
  explicit CategoryEncoding(const sdk::Attributes& attributes)
      : num_tokens_(attributes.Int("num_tokens")),
        output_mode_(attributes.String("output_mode")),
        sparse_(attributes.Bool("sparse")) {}

  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    const std::string mode = output_mode_ == "binary" ? "multi_hot" : output_mode_;
    if (mode != "one_hot" && mode != "multi_hot" && mode != "count") {
      return scope.Error("expects output_mode one_hot, multi_hot or count, got '{}'", output_mode_);
    }
    if (sparse_) return scope.Error("expects sparse=false: there are no sparse values");
    if (inputs.size() > 2) return scope.Error("expects 1 input, or 2 with count_weights, got {}", inputs.size());
    if (mode != "one_hot" && inputs[0].rank() != 2) {
      return scope.Error("expects input [batch, length] for output_mode {}, got {}", mode, inputs[0].type());
    }
    Value weights = inputs.size() > 1 ? inputs[1] : Value{};
    if (weights.ok()) {
      if (mode != "count") return scope.Error("takes count_weights with output_mode count alone, got {}", mode);
      if (weights.dims() != inputs[0].dims()) {
        return scope.Error("expects count_weights like its input {}, got {}", inputs[0].type(), weights.type());
      }
      if (weights.dtype() != FB_F32) weights = Cast(weights, FB_F32);
    }
    return EncodeCategories(scope, inputs[0], mode, num_tokens_, weights);
  }

 private:
  int64_t num_tokens_;
  std::string output_mode_;
  bool sparse_;
};

FUSEBOX_PLUGIN(
    CategoryEncoding,
    {.id = "fusebox/category_encoding",
     .doc = "Categories by their numbers as vectors with an element for each.",
     .attributes = {
         sdk::Int("num_tokens").Range(1, INT32_MAX).Doc("how many categories there are"),
         sdk::String("output_mode", "multi_hot")
             .Doc("one_hot: a vector a number; multi_hot, count: one a sample, which numbers it has, how often"),
         sdk::Bool("sparse", false).Doc("Keras's sparse tensors: there are none"),
     }});

}  // namespace
}  // namespace fusebox
