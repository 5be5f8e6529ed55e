// SPDX-License-Identifier: Apache-2.0
// Encodes category indices as vectors with an element for each category: see encoding.h. With output_mode count, a
// second input of the first one's shape may give a weight for each index:
//     x [N, length], count_weights [N, length]  -->  y f32[N, num_tokens]
// As in Keras on JAX, an index outside [0, num_tokens) belongs to no category.
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
    if (sparse_) return scope.Error("expects sparse=false: sparse tensors are not supported");
    if (inputs.size() > 2) return scope.Error("expects 1 input, or 2 with count_weights, got {}", inputs.size());
    if (mode != "one_hot" && inputs[0].rank() != 2) {
      return scope.Error("expects input [batch, length] for output_mode {}, got {}", mode, inputs[0].type());
    }
    Value weights = inputs.size() > 1 ? inputs[1] : Value{};
    if (weights.ok()) {
      if (mode != "count") return scope.Error("takes count_weights only with output_mode count, got {}", mode);
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

FUSEBOX_PLUGIN(CategoryEncoding, {.id = "fusebox/category_encoding",
                                  .doc = "Encodes category indices as vectors with an element for each category.",
                                  .attributes = {
                                      sdk::Int("num_tokens").Range(1, INT32_MAX).Doc("number of categories"),
                                      sdk::String("output_mode", "multi_hot")
                                          .Doc("one_hot: one vector per index; multi_hot, count: one per sample, of "
                                               "which indices occur, or how often"),
                                      sdk::Bool("sparse", false).Doc("not supported: must be false"),
                                  }});

}  // namespace
}  // namespace fusebox
