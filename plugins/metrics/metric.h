// SPDX-License-Identifier: Apache-2.0
// Shared by metrics.
#pragma once
#include "fusebox/plugins/sdk/targets.h"

namespace fusebox {

inline constexpr double kEpsilon = 1e-7;  // Keras's epsilon.

inline Value OnesLike(sdk::Scope& scope, Value x) { return Broadcast(scope.Constant(1, FB_F64), x.dims()); }
inline Value Narrow(Value x) { return Cast(x, FB_F32); }

// The weights of the samples (or of their steps) as f64, in a shape that broadcasts against x [N, ...]; and x in f64,
// multiplied by them.
inline Value WeightsAgainst(sdk::Scope& scope, Value x) {
  const Value weight = scope.SampleWeight();
  if (!weight.ok()) return weight;
  if (x.rank() < weight.rank()) {
    return scope.Error("has one number for each {}, and sample_weight is {}", x.type(), weight.type());
  }
  Dims dims = weight.dims();
  dims.resize(size_t(x.rank()), 1);
  return Reshape(Cast(weight, FB_F64), dims);
}
inline Value Weighed(sdk::Scope& scope, Value x) {
  const Value wide = Cast(x, FB_F64), weights = WeightsAgainst(scope, x);
  return weights.ok() ? wide * weights : wide;
}

// The numbers as a vector, f64[count].
inline Value Vector(sdk::Scope& scope, const std::vector<double>& numbers) {
  const Value zero = Broadcast(scope.Constant(0, FB_F64), {int64_t(numbers.size())});
  const Value index = Iota(zero, 0);
  Value vector = zero;
  for (size_t i = 0; i < numbers.size(); ++i) vector = Select(Equal(index, double(i)), numbers[i], vector);
  return vector;
}

// Whether the score of a sample's class is among the k highest. Equal scores all are. scores [N, ..., C], labels i32[N,
// ..., 1] -> bool[N, ...]. A NaN score is not.
inline Value InTopK(Value scores, Value labels, int64_t k) {
  const Value score = Sum(Select(Equal(Iota(scores, -1), labels), scores, 0), {-1}, true);
  const Value greater = Sum(Cast(Less(score, scores), FB_I32), {-1}, true);
  Dims flat = scores.dims();
  flat.pop_back();
  return Reshape(And(Less(greater, double(k)), Equal(score, score)), flat);
}

// Whether each score is among the k highest of its row, the first of equal ones: [N, ..., C] -> bool[N, ..., C].
// Compares all pairs of a row.
inline Value AmongTopK(Value scores, int64_t k) {
  const int64_t last = scores.rank() - 1;
  Dims down = scores.dims(), across = scores.dims();  // [..., i, 1] and [..., 1, j]
  down.push_back(1);
  across.insert(across.begin() + last, 1);
  const Value i = Reshape(scores, down), j = Reshape(scores, across);
  const Value earlier = Less(Reshape(Iota(scores, last), across), Reshape(Iota(scores, last), down));
  const Value before = Or(Less(i, j), And(Equal(i, j), earlier));
  return Less(Sum(Cast(before, FB_I32), {-1}), double(k));
}

}  // namespace fusebox
