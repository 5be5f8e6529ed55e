// SPDX-License-Identifier: Apache-2.0
// Converts the weights of samples from what a user gives to the form that programs read.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/graph/type.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// Weights of classes, as in Keras: samples of the classes that are not named count 1.
using ClassWeights = std::map<int64_t, double>;

// Converts weights [n] or [n, 1] of any dtype to f32[n]. If the output has steps, [N, steps, ..., C], weights of the
// steps, [n, steps], are possible too. `who` names the argument in messages. Error: another shape.
absl::StatusOr<Tensor> SampleWeights(const Tensor& given, int64_t samples, const Shape& output, const std::string& who);

// The weights of the samples of y by their classes, f32[n]. y has the numbers of classes, [n] or [n, 1], or scores
// [n, C], of which the greatest decides. `classes` is the number of the model's classes; if it is 1, every number in y
// is a class, and so are 0 and 1. Errors: another shape of y; an unknown class.
absl::StatusOr<Tensor> WeightsByClass(const ClassWeights& class_weight, const Tensor& y, int64_t classes);

}  // namespace fusebox
