// SPDX-License-Identifier: Apache-2.0
// Maps each element to the index of its bin. Boundaries b1 <= b2 <= ... <= bk make k + 1 bins:
//     x < b1: 0     b1 <= x < b2: 1     ...     bk <= x: k
//     x [N, ...]  --int-->  y i32[N, ...]; as vectors, see encoding.h, y f32[N, ..., k + 1]
// NaN belongs to the last bin. The boundaries are given, or fb::Discretization(num_bins).Adapt(data) finds those that
// put equal shares of the data into each bin.
#include <algorithm>

#include "fusebox/plugins/layers/encoding.h"

namespace fusebox {
namespace {

class Discretization final : public sdk::Layer {
 public:
  explicit Discretization(const sdk::Attributes& attributes)
      : output_mode_(attributes.String("output_mode")), sparse_(attributes.Bool("sparse")) {
    if (attributes.Has("bin_boundaries")) boundaries_ = attributes.Floats("bin_boundaries");
  }

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (output_mode_ != "int" && output_mode_ != "one_hot" && output_mode_ != "multi_hot" && output_mode_ != "count") {
      return scope.Error("expects output_mode int, one_hot, multi_hot or count, got '{}'", output_mode_);
    }
    if (sparse_) return scope.Error("expects sparse=false: sparse tensors are not supported");
    if (boundaries_.empty()) {
      return scope.Error("expects bin_boundaries: give them, or num_bins and Adapt the layer to data");
    }
    if (std::ranges::adjacent_find(boundaries_, [](double a, double b) { return !(a <= b); }) != boundaries_.end()) {
      return scope.Error("expects bin_boundaries in ascending order");
    }
    const Value wide = x.dtype() == FB_F32 || x.dtype() == FB_F64 ? x : Cast(x, FB_F32);
    Value range;
    for (const double boundary : boundaries_) {
      const Value reached = Cast(Not(Less(wide, boundary)), FB_I32);
      range = range.ok() ? range + reached : reached;
    }
    if (output_mode_ == "int") return range;
    return EncodeCategories(scope, range, output_mode_, int64_t(boundaries_.size()) + 1, {});
  }

 private:
  std::vector<double> boundaries_;
  std::string output_mode_;
  bool sparse_;
};

FUSEBOX_PLUGIN(
    Discretization,
    {.id = "fusebox/discretization",
     .doc = "Index of the bin of each element, i32[N, ...], or one-hot vectors of it.",
     .attributes = {
         sdk::Floats("bin_boundaries").Optional().Doc("boundaries between bins, ascending"),
         sdk::Int("num_bins").Min(1).Optional().Doc("number of bins that Adapt makes"),
         sdk::Float("epsilon", 0.01).Range(1e-9, 1).Doc("how far from equal shares the bins of Adapt may be"),
         sdk::String("output_mode", "int").Doc("int: the index; one_hot, multi_hot, count: vectors"),
         sdk::Bool("sparse", false).Doc("not supported: must be false"),
     }});

}  // namespace
}  // namespace fusebox
