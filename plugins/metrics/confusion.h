// SPDX-License-Identifier: Apache-2.0
// Counts of true and false positives and negatives. A prediction above a threshold is a yes. Several thresholds make
// several counts, and so a metric of several numbers.
//     y_true, y_pred [N, ...]; y_true is true where it is not 0
// Predictions may be limited to one class of the last axis, and to the k highest of the axis: the others count as no.
#pragma once
#include <optional>

#include "fusebox/plugins/metrics/metric.h"

namespace fusebox {

inline constexpr sdk::Schema kThresholds =
    sdk::Floats("thresholds").Optional().Doc("predictions above a threshold count as true; default 0.5");
inline constexpr sdk::Schema kTopK =
    sdk::Int("top_k").Optional().Min(1).Doc("only this many highest predictions of a sample count as true");
inline constexpr sdk::Schema kClassId = sdk::Int("class_id").Optional().Min(0).Doc("evaluates only this class");
inline constexpr sdk::Schema kNumThresholds =
    sdk::Int("num_thresholds", 200).Min(1).Doc("number of thresholds, evenly spaced from 0 to 1");

inline std::optional<int64_t> OptionalInt(const sdk::Attributes& attributes, const char* name) {
  if (!attributes.Has(name)) return std::nullopt;
  return attributes.Int(name);
}

// Selects one class of the last axis if there is a class_id.
inline sdk::Targets OfClass(sdk::Scope& scope, const sdk::Targets& both, std::optional<int64_t> class_id) {
  if (!both.ok() || !class_id) return both;
  const int64_t classes = both.y_pred.dim(-1);
  if (*class_id >= classes) {
    return {scope.Error("expects a class_id below {} for {}, got {}", classes, both.y_pred.type(), *class_id), {}};
  }
  return {Slice(both.y_true, -1, *class_id, *class_id + 1), Slice(both.y_pred, -1, *class_id, *class_id + 1)};
}

inline Value IsTrue(Value y_true) { return Not(Equal(y_true, 0)); }

// The answers of a batch at each threshold.
class Answers {
 public:
  explicit Answers(const sdk::Attributes& attributes) {
    if (attributes.Has("thresholds")) thresholds_ = attributes.Floats("thresholds");
  }
  Answers(const sdk::Attributes& attributes, bool) : Answers(attributes) {
    top_k_ = OptionalInt(attributes, "top_k");
    class_id_ = OptionalInt(attributes, "class_id");
  }

  // Not ok() after an error.
  struct Batch {
    Value is_true;
    Values says_true;  // By threshold.
    bool ok() const { return is_true.ok() && !says_true.empty(); }
  };
  Batch Of(sdk::Scope& scope, Value y_true, Value y_pred) const {
    const double none = -1e10;  // As in Keras, below all predictions.
    for (const double threshold : thresholds_) {
      if (threshold >= 0 && threshold <= 1) continue;
      return {scope.Error("expects a threshold from 0 to 1, got {}", threshold), {}};
    }
    sdk::Targets both = sdk::LineUp(scope, y_true, y_pred);
    if (both.ok() && top_k_) both.y_pred = Select(AmongTopK(both.y_pred, *top_k_), both.y_pred, none);
    both = OfClass(scope, both, class_id_);
    if (!both.ok()) return {};
    Values says_true;
    for (const double threshold : thresholds_) says_true.push_back(Greater(both.y_pred, threshold));
    if (thresholds_.empty()) says_true.push_back(Greater(both.y_pred, top_k_ ? none : 0.5));
    return {IsTrue(both.y_true), says_true};
  }

 private:
  std::vector<double> thresholds_;
  std::optional<int64_t> top_k_, class_id_;
};

// Number of elements, or sum of their weights, with this truth and this answer since the epoch began: f64[], of several
// thresholds f64[thresholds].
inline Value Counted(sdk::Scope& scope, const char* name, const Answers::Batch& batch, bool truth, bool answer) {
  Values counts;
  for (const Value& says_true : batch.says_true) {
    const Value are_so = And(truth ? batch.is_true : Not(batch.is_true), answer ? says_true : Not(says_true));
    const Value count = Sum(Weighed(scope, are_so), sdk::AllAxes(are_so));
    counts.push_back(batch.says_true.size() > 1 ? Reshape(count, {1}) : count);
  }
  return scope.Accumulated(name, counts.size() > 1 ? Concatenate(counts, 0) : counts[0]);
}

}  // namespace fusebox
