// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/ops/shape_rules.h"

#include <algorithm>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"

namespace fusebox {

absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  Shape out = a.size() >= b.size() ? a : b;
  const Shape& narrow = a.size() >= b.size() ? b : a;
  const size_t shift = out.size() - narrow.size();
  for (size_t i = 0; i < narrow.size(); ++i) {
    int64_t& d = out[i + shift];
    if (d == 1) d = narrow[i];
    if (d != narrow[i] && narrow[i] != 1) {
      return Refuse("shapes {} and {} do not broadcast together", ToString(a), ToString(b));
    }
  }
  return out;
}

bool BroadcastsTo(const Shape& from, const Shape& to) {
  if (from.size() > to.size()) return false;
  const size_t shift = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1 && from[i] != to[i + shift]) return false;
  }
  return true;
}

absl::StatusOr<int64_t> NormalAxis(int64_t axis, const Type& type) {
  const int64_t normal = axis < 0 ? axis + type.rank() : axis;
  if (normal < 0 || normal >= type.rank()) return Refuse("axis {} does not exist in {}", axis, ToString(type));
  return normal;
}

Value SumTo(Value dy, const Dims& shape) {
  const Dims from = dy.dims();
  if (from == shape) return dy;
  const size_t shift = from.size() - shape.size();
  Dims axes;
  for (size_t i = 0; i < from.size(); ++i) {
    if (i < shift || (shape[i - shift] == 1 && from[i] != 1)) axes.push_back(int64_t(i));
  }
  const Value summed = axes.empty() ? dy : Sum(dy, axes);
  return summed.dims() == shape ? summed : Reshape(summed, shape);
}

}  // namespace fusebox
