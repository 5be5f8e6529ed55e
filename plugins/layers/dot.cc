// SPDX-License-Identifier: Apache-2.0
// Products of two inputs along an axis of each, sample by sample. The remaining axes of the first input come before
// those of the second:
//     a [N, k], b [N, k]  --axes 1--> y [N, 1]              a [N, i, k], b [N, k, j]  --axes (2, 1)--> y [N, i, j]
#include "fusebox/plugins/layers/axes.h"

namespace fusebox {
namespace {

// Moves the axis to the end and merges those between it and the batch: [N, rest, k]. `rest` receives their sizes.
Value AxisLast(Value x, int64_t axis, Dims& rest) {
  Dims order = {0};
  int64_t size = 1;
  for (int64_t i = 1; i < x.rank(); ++i) {
    if (i == axis) continue;
    order.push_back(i);
    rest.push_back(x.dim(i));
    size *= rest.back();
  }
  order.push_back(axis);
  const int64_t batch = x.dim(0), k = x.dim(axis);
  return Reshape(Transpose(x, order), {batch, size, k});
}

class Dot final : public sdk::MergeLayer {
 public:
  explicit Dot(const sdk::Attributes& attributes)
      : axes_(attributes.Ints("axes")), normalize_(attributes.Bool("normalize")) {}

  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    if (inputs.size() != 2) return scope.Error("expects 2 inputs, got {}", inputs.size());
    if (axes_.size() != 1 && axes_.size() != 2) return scope.Error("expects 1 or 2 axes, got {}", axes_.size());
    Value parts[2];
    Dims sizes[2];
    for (size_t i = 0; i < 2; ++i) {
      const auto axis = FixedAxes(scope, inputs[i], {i < axes_.size() ? axes_[i] : axes_[0]});
      if (!axis) return {};
      if (axis->front() == 0) return scope.Error("expects axes after the batch, got 0");
      parts[i] = AxisLast(inputs[i], axis->front(), sizes[i]);
      if (!normalize_) continue;
      const Value square = Sum(Square(parts[i]), {2}, true);
      parts[i] = parts[i] / Sqrt(Select(Equal(square, 0), 1, square));
    }
    const int64_t k = parts[0].dim(2), rows = parts[0].dim(1), columns = parts[1].dim(1), batch = parts[0].dim(0);
    if (k != parts[1].dim(2)) {
      return scope.Error("expects axes of one size, got {} of {} and {} of {}", k, inputs[0].type(), parts[1].dim(2),
                         inputs[1].type());
    }
    const Value a = Reshape(parts[0], {batch, rows, 1, k});
    const Value b = Reshape(parts[1], {batch, 1, columns, k});
    Dims dims = {batch};
    dims.insert(dims.end(), sizes[0].begin(), sizes[0].end());
    dims.insert(dims.end(), sizes[1].begin(), sizes[1].end());
    if (dims.size() == 1) dims.push_back(1);
    return Reshape(Sum(a * b, {3}), dims);
  }

 private:
  Dims axes_;
  bool normalize_;
};

FUSEBOX_PLUGIN(Dot,
               {.id = "fusebox/dot",
                .doc = "Products of two inputs along an axis of each, sample by sample.",
                .attributes = {
                    sdk::Ints("axes").Doc("one axis for both inputs, or one for each"),
                    sdk::Bool("normalize", false).Doc("normalizes along the axes first, so that products are cosines"),
                }});

}  // namespace
}  // namespace fusebox
