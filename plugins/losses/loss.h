// SPDX-License-Identifier: Apache-2.0
// Shared by losses. A loss returns one number for each sample (and each step): y [N, ..., C] -> f32[N, ...]. The host
// reduces them to their mean or sum: it reads the attribute `reduction`.
#pragma once
#include "fusebox/plugins/sdk/targets.h"

namespace fusebox {

inline constexpr double kEpsilon = 1e-7;  // Keras's epsilon.

// Attributes that several losses share.
inline constexpr sdk::Schema kReduction = sdk::String("reduction", "sum_over_batch_size")
                                              .Doc("sum_over_batch_size (or mean), sum, or mean_with_sample_weight");
inline constexpr sdk::Schema kFromLogits =
    sdk::Bool("from_logits", false).Doc("y_pred holds logits, the input of sigmoid or softmax");
inline constexpr sdk::Schema kLabelSmoothing =
    sdk::Float("label_smoothing", 0).Range(0, 1).Doc("moves targets by this fraction towards the uniform distribution");
inline constexpr sdk::Schema kAxis = sdk::Int("axis", -1);

inline Value MeanOfLastAxis(Value x) { return Mean(x, {-1}); }
inline Value Clipped(Value x, double low, double high) { return Min(Max(x, low), high); }
inline Value ClippedProbability(Value p) { return Clipped(p, kEpsilon, 1 - kEpsilon); }

// Sum of x along the given axes, or along all if none are given.
inline Value SumAlong(Value x, const Dims& axes) { return Sum(x, axes.empty() ? sdk::AllAxes(x) : axes); }

// One number for each sample, where the loss chose the reduced axes: if the batch was among them, every sample gets the
// result.
inline Value ForEachSample(Value loss, Value y_pred) {
  if (!loss.ok() || (loss.rank() > 0 && loss.dim(0) == y_pred.dim(0))) return loss;
  const Value mean = loss.rank() > 0 ? Mean(loss, sdk::AllAxes(loss)) : loss;
  return Broadcast(mean, {y_pred.dim(0)});
}

// x to a constant power, for x >= 0. Below 0 the result and its gradient are 0.
inline Value Power(Value x, double exponent) {
  if (exponent == 0) return Select(Equal(x, x), 1, x);
  if (exponent == 1) return x;
  if (exponent == 2) return Square(x);
  return Select(Greater(x, 0), Exp(Log(Max(x, 1e-30)) * exponent), 0);
}

// Scales vectors along an axis to length 1, except those shorter than Keras's epsilon.
inline Value Normalized(Value x, int64_t axis) {
  return x / Sqrt(Max(Sum(Square(x), {axis}, true), kEpsilon * kEpsilon));
}

// Maps targets 0 and 1 to -1 and 1. As in Keras, the targets of a whole batch decide which of the two they are.
inline Value AsHingeLabels(Value y_true) {
  const Value binary = Or(Equal(y_true, 0), Equal(y_true, 1));
  const Value others = Sum(Select(binary, y_true * 0, 1), sdk::AllAxes(y_true));
  return Select(Equal(others, 0), 2 * y_true - 1, y_true);
}

// Moves targets between 0 and 1 towards 1/2; one-hot targets, towards the uniform distribution.
inline Value SmoothedBinary(Value y_true, double smoothing) {
  return smoothing == 0 ? y_true : y_true * (1 - smoothing) + 0.5 * smoothing;
}
inline Value SmoothedOneHot(Value y_true, double smoothing) {
  return smoothing == 0 ? y_true : y_true * (1 - smoothing) + smoothing / double(y_true.dim(-1));
}

}  // namespace fusebox
