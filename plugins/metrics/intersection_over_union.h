// SPDX-License-Identifier: Apache-2.0
// Intersection over union of classes, from the confusion matrix of all elements since the epoch began:
//     iou[c] = m[c, c] / (sum(m[c, :]) + sum(m[:, c]) - m[c, c])
// The result is the mean over some classes, without those that did not occur. Keras's matrix holds integers, so sample
// weights are truncated: 0.7 counts as 0, and 1.5 as 1.
// Source: Everingham et al. (2010), The PASCAL Visual Object Classes Challenge; the constants 1e-7 are Keras's.
#pragma once
#include <numeric>
#include <optional>

#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {

inline constexpr sdk::Schema kNumClasses = sdk::Int("num_classes").Min(1).Doc("number of classes");
inline constexpr sdk::Schema kTargetClassIds = sdk::Ints("target_class_ids").Min(0).Doc("classes to average over");
inline constexpr sdk::Schema kIgnoreClass =
    sdk::Int("ignore_class").Optional().Doc("elements of this true class do not count");
inline constexpr sdk::Schema kSparseYTrue = sdk::Bool("sparse_y_true", true).Doc("y_true holds class indices");
inline constexpr sdk::Schema kIouAxis = sdk::Int("axis", -1).Doc("axis of the class scores");

struct IouOptions {
  int64_t classes = 0;
  Dims target_ids = {};  // Empty: all.
  std::optional<int64_t> ignored = {};
  bool sparse_true = true, sparse_pred = true;
  int64_t axis = -1;

  static IouOptions From(const sdk::Attributes& a, bool sparse_true, bool some_classes) {
    IouOptions o;
    o.classes = a.Int("num_classes");
    if (some_classes) o.target_ids = a.Ints("target_class_ids");
    if (a.Has("ignore_class")) o.ignored = a.Int("ignore_class");
    o.sparse_true = sparse_true;
    o.sparse_pred = a.Bool("sparse_y_pred");
    o.axis = a.Int("axis");
    return o;
  }
};

// Takes class indices, i32, in the same shape.
inline Value IouOf(sdk::Scope& scope, const IouOptions& options, Value y_true, Value y_pred) {
  if (!y_true.ok() || !y_pred.ok()) return {};
  const int64_t classes = options.classes;
  for (const int64_t id : options.target_ids) {
    if (id >= classes) return scope.Error("expects target_class_ids below num_classes, {}, got {}", classes, id);
  }
  const auto numbers = [&](Value x, bool sparse) { return sparse ? sdk::As(x, FB_I32) : ArgMax(x, options.axis); };
  Value truth = numbers(y_true, options.sparse_true), said = numbers(y_pred, options.sparse_pred);
  if (!truth.ok() || !said.ok()) return {};
  const auto elements = [](Value x) {
    const Dims dims = x.dims();
    return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
  };
  if (elements(truth) != elements(said)) {
    return scope.Error("expects as many classes in y_true as in y_pred, got {} of {} and {} of {}", truth.type(),
                       y_true.type(), said.type(), y_pred.type());
  }
  const Value whole = Cast(Cast(Weighed(scope, OnesLike(scope, truth)), FB_I32), FB_F64);
  const Value weight = Reshape(whole, {elements(truth)});
  truth = Reshape(truth, {elements(truth)});
  said = Reshape(said, {elements(said)});

  const auto known = [&](Value x) { return And(Not(Less(x, 0)), Less(x, double(classes))); };
  Value counts = And(known(truth), known(said));
  if (options.ignored) counts = And(counts, Not(Equal(truth, double(*options.ignored))));
  const Value cell = Select(counts, truth * double(classes) + said, -1);
  const Value step = Reshape(ScatterAdd(cell, weight, classes * classes), {classes, classes});
  const Value matrix = scope.Accumulated("total_confusion_matrix", step);

  const Value hits = Sum(Select(Equal(Iota(matrix, 0), Iota(matrix, 1)), matrix, 0), {1});
  const Value all = Sum(matrix, {0}) + Sum(matrix, {1}) - hits;
  std::vector<double> asked(size_t(classes), options.target_ids.empty() ? 1 : 0);
  for (const int64_t id : options.target_ids) asked[size_t(id)] += 1;
  const Value of_them = Select(Greater(all, 1e-9), Vector(scope, asked), 0);
  return Narrow(Sum(of_them * (hits / (all + kEpsilon)), {0}) / (Sum(of_them, {0}) + kEpsilon));
}

}  // namespace fusebox
