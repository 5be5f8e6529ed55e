// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/sample_weights.h"

#include <algorithm>
#include <cmath>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

std::string Show(const Tensor& tensor) { return ToString(Shape(tensor.shape().begin(), tensor.shape().end())); }

}  // namespace

absl::StatusOr<Tensor> SampleWeights(const Tensor& given, const ClassWeights& class_weight, const Tensor& y) {
  if (!given.empty() && !class_weight.empty()) return Refuse("sample_weight and class_weight are both given");
  const int64_t rows = y.rows();
  if (!given.empty()) {
    if (given.rank() < 1 || given.rank() > 2 || given.rows() != rows || given.size() != rows) {
      return Refuse("sample_weight: expected one number for each of {} samples, got {}", rows, Show(given));
    }
    return given.Cast(DType::kF32).Reshape({rows});
  }
  if (class_weight.empty()) return Tensor();
  if (y.rank() < 1 || y.rank() > 2)
    return Refuse("class_weight: expected y of [samples] or [samples, classes], got {}", Show(y));
  const Tensor numbers = y.Cast(DType::kF64);
  const std::span<const double> values = numbers.values<double>();
  const size_t width = rows > 0 ? values.size() / size_t(rows) : 1;
  Tensor weights(DType::kF32, {rows});
  for (size_t i = 0; i < size_t(rows); ++i) {
    const std::span<const double> row = values.subspan(i * width, width);
    const int64_t label = width == 1 ? std::llround(row[0]) : std::ranges::max_element(row) - row.begin();
    const auto weight = class_weight.find(label);
    weights.mutable_values<float>()[i] = weight != class_weight.end() ? float(weight->second) : 1.0f;
  }
  return weights;
}

}  // namespace fusebox
