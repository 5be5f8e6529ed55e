// SPDX-License-Identifier: Apache-2.0
// How much each sample counts: what a user gives, in the form that the programs read.
#pragma once
#include <cstdint>
#include <map>

#include "absl/status/statusor.h"
#include "fusebox/runtime/tensor.h"

namespace fusebox {

// Samples of some classes count more, or less; those of the others count 1. As in Keras.
using ClassWeights = std::map<int64_t, double>;

// The weights of the samples of y, f32[n]; an empty tensor if none are given. `given` has one number for each, of any
// dtype, [n] or [n, 1]. With class weights, y has classes by their numbers, [n] or [n, 1], or scores of them [n, C], of
// which the greatest counts. Errors: not one a sample; both are given; y is neither of these.
absl::StatusOr<Tensor> SampleWeights(const Tensor& given, const ClassWeights& class_weight, const Tensor& y);

}  // namespace fusebox
