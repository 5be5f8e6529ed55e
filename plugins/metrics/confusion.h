// SPDX-License-Identifier: Apache-2.0
// Counts of true and false positives and negatives. A prediction above a threshold is a yes.
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

// The answers of a batch at one threshold.
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
    Value is_true, says_true;
    bool ok() const { return is_true.ok() && says_true.ok(); }
  };
  Batch Of(sdk::Scope& scope, Value y_true, Value y_pred) const {
    const double none = -1e10;  // As in Keras, below all predictions.
    if (thresholds_.size() > 1) {
      return {scope.Error("expects one threshold, as its result is one number, got {} thresholds", thresholds_.size()),
              {}};
    }
    const double threshold = !thresholds_.empty() ? thresholds_[0] : top_k_ ? none : 0.5;
    if (!thresholds_.empty() && !(threshold >= 0 && threshold <= 1)) {
      return {scope.Error("expects a threshold from 0 to 1, got {}", threshold), {}};
    }
    sdk::Targets both = sdk::LineUp(scope, y_true, y_pred);
    if (both.ok() && top_k_) both.y_pred = Select(AmongTopK(both.y_pred, *top_k_), both.y_pred, none);
    both = OfClass(scope, both, class_id_);
    if (!both.ok()) return {};
    return {IsTrue(both.y_true), Greater(both.y_pred, threshold)};
  }

 private:
  std::vector<double> thresholds_;
  std::optional<int64_t> top_k_, class_id_;
};

// Number of elements, or sum of their weights, for which the condition has held since the epoch began: f64[].
inline Value Counted(sdk::Scope& scope, const char* name, Value are_so) {
  if (!are_so.ok()) return are_so;
  return scope.Accumulated(name, Sum(Weighed(scope, are_so), sdk::AllAxes(are_so)));
}

}  // namespace fusebox
