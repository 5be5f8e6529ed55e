// SPDX-License-Identifier: Apache-2.0
// What losses share. Each gives one number for each sample (and for each step in between): y [N, ..., C] -> f32[N, ...].
// What becomes of them, their mean or their sum, is the host's matter: it reads the attribute `reduction`.
#pragma once
#include "fusebox/plugins/sdk/targets.h"

namespace fusebox {

inline constexpr double kEpsilon = 1e-7;  // Keras's.

// The attributes that several losses have.
inline constexpr sdk::Schema kReduction =
    sdk::String("reduction", "sum_over_batch_size")
        .Doc("sum_over_batch_size (or mean), sum, or mean_with_sample_weight: of a batch");
inline constexpr sdk::Schema kFromLogits =
    sdk::Bool("from_logits", false).Doc("y_pred is what sigmoid or softmax would get");
inline constexpr sdk::Schema kLabelSmoothing =
    sdk::Float("label_smoothing", 0).Range(0, 1).Doc("takes targets so far from 0 and 1 towards all being equal");
inline constexpr sdk::Schema kAxis = sdk::Int("axis", -1);

inline Value MeanOfLastAxis(Value x) { return Mean(x, {-1}); }
inline Value Clipped(Value x, double low, double high) { return Min(Max(x, low), high); }
inline Value ClippedProbability(Value p) { return Clipped(p, kEpsilon, 1 - kEpsilon); }

// The sum of x along axes: all of them, if none are given.
inline Value SumAlong(Value x, const Dims& axes) { return Sum(x, axes.empty() ? sdk::AllAxes(x) : axes); }

// One number for each sample, where the axes reduced were of the loss's own choosing: if the batch was among them, what
// is left of it is every sample's.
inline Value ForEachSample(Value loss, Value y_pred) {
  if (!loss.ok() || (loss.rank() > 0 && loss.dim(0) == y_pred.dim(0))) return loss;
  const Value mean = loss.rank() > 0 ? Mean(loss, sdk::AllAxes(loss)) : loss;
  return Broadcast(mean, {y_pred.dim(0)});
}

// x to the power of a constant, for x >= 0: 0 below, with a gradient of 0 there.
inline Value Power(Value x, double exponent) {
  if (exponent == 0) return Select(Equal(x, x), 1, x);
  if (exponent == 1) return x;
  if (exponent == 2) return Square(x);
  return Select(Greater(x, 0), Exp(Log(Max(x, 1e-30)) * exponent), 0);
}

// Vectors along an axis, scaled to the length 1; but not those shorter than Keras's epsilon.
inline Value Normalized(Value x, int64_t axis) {
  return x / Sqrt(Max(Sum(Square(x), {axis}, true), kEpsilon * kEpsilon));
}

// Targets 0 and 1 as -1 and 1. Whether that is what they are is decided, as in Keras, by all of a batch.
inline Value AsHingeLabels(Value y_true) {
  const Value binary = Or(Equal(y_true, 0), Equal(y_true, 1));
  const Value others = Sum(Select(binary, y_true * 0, 1), sdk::AllAxes(y_true));
  return Select(Equal(others, 0), 2 * y_true - 1, y_true);
}

// Targets between 0 and 1, moved towards 1/2; one-hot ones, towards all classes alike.
inline Value SmoothedBinary(Value y_true, double smoothing) {
  return smoothing == 0 ? y_true : y_true * (1 - smoothing) + 0.5 * smoothing;
}
inline Value SmoothedOneHot(Value y_true, double smoothing) {
  return smoothing == 0 ? y_true : y_true * (1 - smoothing) + smoothing / double(y_true.dim(-1));
}

}  // namespace fusebox
