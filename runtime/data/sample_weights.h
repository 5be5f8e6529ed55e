// SPDX-License-Identifier: Apache-2.0
// How much each sample counts: what a user gives, in the form that the programs read.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/graph/type.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// Samples of some classes count more, or less; those of the others count 1. As in Keras.
using ClassWeights = std::map<int64_t, double>;

// Weights as f32[n] from [n] or [n, 1], of any dtype; or, where the output has steps, [N, steps, ..., C], also for each
// of them, f32[n, steps]. `who` has given them. Error: another shape.
absl::StatusOr<Tensor> SampleWeights(const Tensor& given, int64_t samples, const Shape& output, const std::string& who);

// The weights of the samples of y, f32[n], by their classes: y has their numbers, [n] or [n, 1], or scores of them [n,
// C], of which the greatest counts. `classes` is how many the model tells apart; of 1 any number in y is a class, and
// so are 0 and 1. Errors: y is neither of these; a class that there is not.
absl::StatusOr<Tensor> WeightsByClass(const ClassWeights& class_weight, const Tensor& y, int64_t classes);

}  // namespace fusebox
