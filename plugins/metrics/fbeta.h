// SPDX-License-Identifier: Apache-2.0
// F-beta score: the harmonic mean of precision and recall, with recall weighted beta^2 times as much.
//     y_true, y_pred [N, C]
// Predictions above the threshold count as true; without a threshold, the highest one of each sample.
// Source: van Rijsbergen (1979), Information Retrieval, chapter 7; the constants 1e-7 are Keras's.
#pragma once
#include <optional>

#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {

inline constexpr sdk::Schema kAverage = sdk::String("average").Optional().Doc(
    "average over classes: micro, macro or weighted; none: a score for each class");
inline constexpr sdk::Schema kFThreshold =
    sdk::Float("threshold")
        .Optional()
        .Range(0, 1)
        .Doc("predictions above it count as true; none: the highest of each sample");

class FBeta {
 public:
  FBeta(const sdk::Attributes& attributes, double beta) : beta_(beta) {
    if (attributes.Has("average")) average_ = attributes.String("average");
    if (attributes.Has("threshold")) threshold_ = attributes.Float("threshold");
  }

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const {
    const auto [target, predicted] = sdk::LineUp(scope, y_true, y_pred);
    if (!predicted.ok()) return {};
    if (predicted.rank() != 2) return scope.Error("expects predictions [batch, classes], got {}", y_pred.type());
    if (beta_ <= 0) return scope.Error("expects a beta above 0, got {}", beta_);
    if (threshold_ && *threshold_ <= 0) return scope.Error("expects a threshold above 0, got {}", *threshold_);
    if (!average_.empty() && average_ != "micro" && average_ != "macro" && average_ != "weighted") {
      return scope.Error("expects average micro, macro or weighted, got '{}'", average_);
    }
    const Value says_true =
        threshold_ ? Greater(predicted, *threshold_)
                   : And(LessEqual(ReduceMax(predicted, {-1}, true), predicted), Greater(Abs(predicted), 1e-9));
    const Value p = Cast(says_true, FB_F64), t = Cast(target, FB_F64);
    const Dims axes = average_ == "micro" ? Dims{0, 1} : Dims{0};
    const auto sum = [&](const char* name, Value x) { return scope.Accumulated(name, Sum(Weighed(scope, x), axes)); };
    const Value tp = sum("true_positives", p * t);
    const Value fp = sum("false_positives", p * (1 - t));
    const Value fn = sum("false_negatives", (1 - p) * t);
    const Value precision = tp / (tp + fp + kEpsilon), recall = tp / (tp + fn + kEpsilon);
    const double square = beta_ * beta_;
    const Value score = precision * recall / (square * precision + recall + kEpsilon) * (1 + square);
    if (average_ == "micro" || (average_.empty() && predicted.dim(1) != 1)) return Narrow(score);
    if (average_ != "weighted") return Narrow(Mean(score, {0}));
    const Value weights = sum("weights", t);
    return Narrow(Sum(score * (weights / (Sum(weights, {0}) + kEpsilon)), {0}));
  }

 private:
  double beta_;
  std::string average_;
  std::optional<double> threshold_;
};

}  // namespace fusebox
