// SPDX-License-Identifier: Apache-2.0
// Computes the confusion counts at many thresholds t[0] < t[1] < ... at once, without comparing each prediction with
// each threshold: a prediction is counted in bucket i, that of the last threshold below it, and the number of
// predictions above t[i] is the sum of the buckets from i on.
//     buckets  0 1 0 2 1      sums from the end  4 4 3 3 1
// The buckets are the state. With several labels, each label has a column.
// Source: Keras, metrics_utils.py, which does the same for evenly spaced thresholds.
#pragma once
#include <algorithm>
#include <cmath>

#include "fusebox/plugins/metrics/confusion.h"

namespace fusebox {

struct Thresholds {
  std::vector<double> values;  // Ascending.
  bool even = false;           // values[i] = i / (size - 1), except as `wide` says.
  bool wide = false;           // The first value is below 0 and the last one above 1.

  static Thresholds Even(int64_t count) {
    Thresholds t{{}, true, false};
    for (int64_t i = 0; i < count; ++i) t.values.push_back(double(i) / double(count - 1));
    return t;
  }
  int64_t size() const { return int64_t(values.size()); }
};

// Counts for each threshold (and label): f64[T] or f64[T, L].
struct Curve {
  Value tp, fp, tn, fn;
  bool ok() const { return tp.ok(); }

  Value Recall() const { return DivideNoNan(tp, tp + fn); }
  Value Precision() const { return DivideNoNan(tp, tp + fp); }
  Value Specificity() const { return DivideNoNan(tn, tn + fp); }
};

// y[i] = x[i] + x[i + 1] + ..., along the first axis, by log2(size) doublings of the summed length.
inline Value SumsFromTheEnd(Value x) {
  const int64_t size = x.dim(0);
  for (int64_t step = 1; step < size; step *= 2) x = x + Pad(Slice(x, 0, step, size), 0, 0, step);
  return x;
}

// Index of each prediction's bucket, i32: -1 if it is above no threshold.
inline Value Bucket(Value p, const Thresholds& thresholds) {
  if (thresholds.even) {
    const Value place = Min(Max(p, 0), 1) * double(thresholds.size() - 1);
    const Value bucket = -Floor(-place) - 1;
    return Cast(thresholds.wide ? Max(bucket, 0) : bucket, FB_I32);
  }
  Value above;
  for (const double t : thresholds.values) {
    const Value one = Cast(Greater(p, t), FB_I32);
    above = above.ok() ? above + one : one;
  }
  return above - 1;
}

// y_true, y_pred [N, ...], all labels together; or [N, L], each label separately. `weights`, f64, broadcasts against
// them.
inline Curve CurveSoFar(sdk::Scope& scope, const sdk::Targets& both, const Thresholds& thresholds, bool by_label,
                        Value label_weights = {}) {
  if (!both.ok()) return {};
  const int64_t labels = by_label ? both.y_pred.dim(-1) : 1;
  Value weight = Weighed(scope, OnesLike(scope, both.y_true));
  if (label_weights.ok()) weight = weight * label_weights;
  const Value is_true = IsTrue(both.y_true);
  Value bucket = Bucket(both.y_pred, thresholds);
  if (by_label) {
    // A bucket below 0 stays below 0, for any label.
    bucket = Select(Less(bucket, 0), -1, bucket * double(labels) + Iota(both.y_pred, -1));
  }
  int64_t elements = 1;
  for (const int64_t d : both.y_pred.dims()) elements *= d;
  const auto in_buckets = [&](const char* name, Value weights) {
    const Value sums =
        ScatterAdd(Reshape(bucket, {elements}), Reshape(weights, {elements}), thresholds.size() * labels);
    return scope.Accumulated(name, by_label ? Reshape(sums, {thresholds.size(), labels}) : sums);
  };
  const auto in_all = [&](const char* name, Value weights) {
    return scope.Accumulated(name, Sum(weights, by_label ? Dims{0} : sdk::AllAxes(weights)));
  };
  const Value positives = Select(is_true, weight, 0), negatives = Select(is_true, 0, weight);
  const Value tp = SumsFromTheEnd(in_buckets("true_positives", positives));
  const Value fp = SumsFromTheEnd(in_buckets("false_positives", negatives));
  return {tp, fp, in_all("negatives", negatives) - fp, in_all("positives", positives) - tp};
}

// Maximum of one rate among the thresholds where another rate is high enough; 0 if it never is.
class BestWhere {
 public:
  BestWhere(const sdk::Attributes& attributes, const char* limit)
      : limit_(attributes.Float(limit)),
        count_(attributes.Int("num_thresholds")),
        class_id_(OptionalInt(attributes, "class_id")) {}

  Curve CurveOf(sdk::Scope& scope, Value y_true, Value y_pred) const {
    const Thresholds thresholds = count_ == 1 ? Thresholds{{0.5}} : Thresholds::Even(count_);
    return CurveSoFar(scope, OfClass(scope, sdk::LineUp(scope, y_true, y_pred), class_id_), thresholds, false);
  }
  Value Best(Value rate, Value limited) const {
    return Narrow(Max(ReduceMax(Select(Less(limited, limit_), 0, rate), {0}), 0));
  }

 private:
  double limit_;
  int64_t count_;
  std::optional<int64_t> class_id_;
};

}  // namespace fusebox
