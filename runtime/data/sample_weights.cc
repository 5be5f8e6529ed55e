// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/sample_weights.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

Shape ShapeOf(const Tensor& tensor) { return {tensor.shape().begin(), tensor.shape().end()}; }

}  // namespace

absl::StatusOr<Tensor> SampleWeights(const Tensor& given, int64_t samples, const Shape& output,
                                     const std::string& who) {
  const Shape got = ShapeOf(given);
  const bool column = got.size() == 2 && got[1] == 1;
  if ((got.size() == 1 || column) && got[0] == samples) return given.Cast(DType::kF32).Reshape({samples});
  // All axes but that of classes or features.
  const bool steps = got.size() > 1 && got.size() < output.size() && got[0] == samples &&
                     std::equal(got.begin() + 1, got.end(), output.begin() + 1);
  if (steps) return given.Cast(DType::kF32);
  if (output.size() < 3) {
    return Refuse("{}: expected one number for each of {} samples, got {}", who, samples, ToString(got));
  }
  Shape finest = output;
  finest[0] = samples;
  finest.pop_back();
  return Refuse("{}: expected one number for each of {} samples, or for each of their steps, {}, got {}", who, samples,
                ToString(finest), ToString(got));
}

absl::StatusOr<Tensor> WeightsByClass(const ClassWeights& class_weight, const Tensor& y, int64_t classes) {
  const int64_t rows = y.rows();
  if (y.rank() < 1 || y.rank() > 2) {
    return Refuse("class_weight: expected y of [samples] or [samples, classes], got {}", ToString(ShapeOf(y)));
  }
  const Tensor numbers = y.Cast(DType::kF64);
  const std::span<const double> values = numbers.values<double>();
  const size_t width = rows > 0 ? values.size() / size_t(rows) : 1;
  Tensor weights(DType::kF32, {rows});
  std::set<int64_t> seen;  // Where the model does not say what classes there are.
  if (classes == 1) seen = {0, 1};
  for (size_t i = 0; i < size_t(rows); ++i) {
    const std::span<const double> row = values.subspan(i * width, width);
    const int64_t label = width == 1 ? std::llround(row[0]) : std::ranges::max_element(row) - row.begin();
    const auto weight = class_weight.find(label);
    if (classes == 1) seen.insert(label);
    weights.mutable_values<float>()[i] = weight != class_weight.end() ? float(weight->second) : 1.0f;
  }
  for (const auto& [label, weight] : class_weight) {
    if (classes == 1 ? seen.contains(label) : label >= 0 && label < classes) continue;
    if (classes == 1) return Refuse("class_weight: there is no class {}: expected 0, 1 or another label of y", label);
    return Refuse("class_weight: there is no class {}: expected one from 0 to {}", label, classes - 1);
  }
  return weights;
}

}  // namespace fusebox
