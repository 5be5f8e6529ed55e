// SPDX-License-Identifier: Apache-2.0
// Area under a curve drawn by thresholds from 0 to 1, over the epoch so far:
//     ROC      recall over the false positive rate: the chance that a positive sample scores higher than a negative one
//     PR       precision over recall
//     PRGAIN   precision gain over recall gain
//     y_true, y_pred [N, ...]; with multi_label [N, L], the mean of the labels' areas
// Between two thresholds the curve is a straight line (interpolation), or the lower or upper of its ends (minoring,
// majoring). For PR, interpolation is that of Davis and Goadrich: true positives as a linear function of all positives.
// Sources: Davis, Goadrich (2006), The Relationship Between Precision-Recall and ROC Curves; Flach, Kull (2015),
// Precision-Recall-Gain Curves.
#include <cctype>
#include <initializer_list>

#include "fusebox/plugins/metrics/curve.h"

namespace fusebox {
namespace {

class Auc final : public sdk::Metric {
 public:
  explicit Auc(const sdk::Attributes& attributes)
      : num_thresholds_(attributes.Int("num_thresholds")),
        curve_(attributes.String("curve")),
        method_(attributes.String("summation_method")),
        multi_label_(attributes.Bool("multi_label")),
        from_logits_(attributes.Bool("from_logits")),
        num_labels_(OptionalInt(attributes, "num_labels")) {
    if (attributes.Has("thresholds")) thresholds_ = attributes.Floats("thresholds");
    if (attributes.Has("label_weights")) label_weights_ = attributes.Floats("label_weights");
  }

  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const std::string curve = Known({"ROC", "PR", "PRGAIN"}, curve_);
    if (curve.empty()) return scope.Error("expects curve ROC, PR or PRGAIN, got '{}'", curve_);
    const std::string method = Known({"interpolation", "majoring", "minoring"}, method_);
    if (method.empty()) {
      return scope.Error("expects summation_method interpolation, majoring or minoring, got '{}'", method_);
    }
    sdk::Targets both = sdk::LineUp(scope, y_true, y_pred);
    if (!both.ok()) return {};
    if (multi_label_ && both.y_pred.rank() != 2) {
      return scope.Error("expects predictions [batch, labels], got {}", y_pred.type());
    }
    if (num_labels_ && !multi_label_) return scope.Error("expects num_labels only with multi_label");
    const int64_t labels = both.y_pred.dim(-1);
    if (num_labels_ && *num_labels_ != labels) {
      return scope.Error("expects {} labels, as num_labels says, got {}", *num_labels_, y_pred.type());
    }
    if (!label_weights_.empty() && int64_t(label_weights_.size()) != labels) {
      return scope.Error("expects {} label_weights for {}, got {}", labels, y_pred.type(), label_weights_.size());
    }
    if (from_logits_) both.y_pred = Sigmoid(both.y_pred);
    const Value weights = label_weights_.empty() ? Value{} : Vector(scope, label_weights_);
    const Curve c = CurveSoFar(scope, both, MakeThresholds(), multi_label_, multi_label_ ? Value{} : weights);
    const Value areas = Sum(Areas(c, curve, method), {0});
    if (!multi_label_) return Narrow(areas);
    return Narrow(weights.ok() ? DivideNoNan(Sum(areas * weights, {0}), Sum(weights, {0})) : Mean(areas, {0}));
  }

 private:
  // The name among these that equals the text, ignoring case; "" if none does.
  static std::string Known(std::initializer_list<const char*> names, const std::string& text) {
    for (const std::string name : names) {
      const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
      if (std::ranges::equal(name, text, same)) return name;
    }
    return "";
  }

  Thresholds MakeThresholds() const {
    Thresholds all = Thresholds::Even(num_thresholds_);
    if (!thresholds_.empty()) {
      all.values = thresholds_;
      std::ranges::sort(all.values);
      all.values.insert(all.values.begin(), 0);
      all.values.push_back(1);
      const double last = double(all.size() - 1);
      for (int64_t i = 0; i < all.size(); ++i) {
        const double even = double(i) / last;  // Keras's tolerance for evenly spaced thresholds.
        all.even = all.even && std::abs(all.values[size_t(i)] - even) <= kEpsilon + 1e-5 * even;
      }
    }
    all.values.front() = -kEpsilon;
    all.values.back() = 1 + kEpsilon;
    all.wide = true;
    return all;
  }

  // The area of each piece between two thresholds.
  static Value Areas(const Curve& c, const std::string& curve, const std::string& method) {
    const auto low = [](Value v) { return Slice(v, 0, 0, v.dim(0) - 1); };
    const auto high = [](Value v) { return Slice(v, 0, 1, v.dim(0)); };
    if (curve == "PR" && method == "interpolation") {
      const Value p = c.tp + c.fp, p0 = low(p), p1 = high(p);
      const Value dtp = low(c.tp) - high(c.tp);
      const Value slope = DivideNoNan(dtp, Max(p0 - p1, 0));
      const Value intercept = high(c.tp) - slope * p1;
      const Value ratio = Select(And(Greater(p0, 0), Greater(p1, 0)), DivideNoNan(p0, Max(p1, 0)), 1);
      return DivideNoNan(slope * (dtp + intercept * Log(ratio)), Max(high(c.tp) + high(c.fn), 0));
    }
    Value x, y;
    if (curve == "ROC") {
      x = DivideNoNan(c.fp, c.fp + c.tn);
      y = c.Recall();
    } else if (curve == "PR") {
      x = c.Recall();
      y = c.Precision();
    } else {
      const Value scale = DivideNoNan(c.tp + c.fn, c.tn + c.fp), none = Equal(c.tp, 0);
      x = Max(Select(none, 0, 1 - scale * DivideNoNan(c.fn, c.tp)), 0);
      y = Select(none, 1, 1 - scale * DivideNoNan(c.fp, c.tp));
    }
    const Value heights = method == "interpolation" ? (low(y) + high(y)) / 2
                          : method == "minoring"    ? Min(low(y), high(y))
                                                    : Max(low(y), high(y));
    return (low(x) - high(x)) * heights;
  }

  int64_t num_thresholds_;
  std::string curve_, method_;
  bool multi_label_, from_logits_;
  std::optional<int64_t> num_labels_;
  std::vector<double> thresholds_, label_weights_;
};

FUSEBOX_PLUGIN(Auc,
               {.id = "fusebox/auc",
                .doc = "Area under the ROC or the precision-recall curve.",
                .attributes = {
                    sdk::Int("num_thresholds", 200).Min(2).Doc("number of thresholds, evenly spaced from 0 to 1"),
                    sdk::String("curve", "ROC").Doc("ROC, PR or PRGAIN"),
                    sdk::String("summation_method", "interpolation").Doc("interpolation, minoring or majoring"),
                    sdk::Floats("thresholds").Optional().Doc("used instead of evenly spaced ones; 0 and 1 are added"),
                    sdk::Bool("multi_label", false).Doc("draws a curve for each label"),
                    sdk::Int("num_labels").Optional().Doc("number of labels, with multi_label"),
                    sdk::Floats("label_weights").Optional().Doc("weights of the labels; equal by default"),
                    sdk::Bool("from_logits", false).Doc("y_pred holds logits, the input of sigmoid")}});

}  // namespace
}  // namespace fusebox
