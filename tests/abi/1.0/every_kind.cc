// SPDX-License-Identifier: Apache-2.0
// One item of each kind. Between them they call every function of FbApi, so they show what a third-party library of ABI 1.0
// may rely on. Compiled once by make.sh and not built since: later headers need not compile this source.
#include <fusebox/plugins/sdk/sdk.h>

namespace kept {
using namespace fusebox;

// x * scale, noisy in training; penalises large results and lets only the samples with a mean of 0 or more count.
class NoisyScale final : public sdk::Layer {
 public:
  explicit NoisyScale(const sdk::Attributes& attributes)
      : rules_(attributes.Rules("scale")), activation_(attributes.Activation("activation")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() != 2) return scope.Error("expects input [batch, features], got {}", x.type());
    const Value scale = scope.Weight("scale", {x.dim(-1)}, rules_);
    const Value seen = scope.Statistic("seen", MakeType(FB_F32, {}), "zeros");
    Value y = x * scale;
    if (scope.training() && !scope.frozen()) {
      const Value noise = scope.Random(x.type());
      y = y + scope.Scalar("noise") * (noise - 0.5);
      scope.Assign(seen, seen + 1);
    }
    scope.AddLoss(Mean(Square(y), sdk::AllAxes(y)) * 1e-3);
    return activation_(y);
  }

 private:
  sdk::WeightRules rules_;
  sdk::Reference activation_;
};
FUSEBOX_PLUGIN(NoisyScale, {.id = "kept/noisy_scale",
                            .doc = "Each feature times a weight, with noise in training.",
                            .attributes = {
                                sdk::Float("noise", 0.01).Range(0, 1).ProgramScalar().Doc("its width"),
                                sdk::ActivationRef("activation", "kept/leaky:slope=0.2"),
                                sdk::InitializerRef("scale_initializer", "kept/ramp"),
                                sdk::RegularizerRef("scale_regularizer"),
                                sdk::ConstraintRef("scale_constraint"),
                            }});

// Masks the steps of a series that are all zero, and passes what it is given: x [N, time, features] alike.
class SkipZeros final : public sdk::Layer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    const Value counts = Less(0, ReduceMax(Abs(x), {-1}));
    const Value before = scope.Mask();
    scope.SetMask(before.ok() ? And(before, counts) : counts);
    return x;
  }
};
FUSEBOX_PLUGIN(SkipZeros, {.id = "kept/skip_zeros", .doc = "Masks steps that are all zero."});

// The sum of the steps that count, by a loop: x [N, time, features] -> [N, features]. Doubled by a branch if all are small.
class SumOverTime final : public sdk::Layer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    const Value mask = scope.Mask();
    const Value counted = mask.ok() ? x * Reshape(Cast(mask, FB_F32), {x.dim(0), x.dim(1), 1}) : x;
    const Value zero = Broadcast(scope.Constant(0), {x.dim(0), x.dim(2)});
    const auto add = [](const Values& sum, const Values& now) -> Scanned { return {.carry = {sum[0] + now[0]}}; };
    const Value sum = Scan(add, {zero}, {Transpose(counted, {1, 0, 2})}).carry[0];
    const Value small = Less(ReduceMax(Abs(sum), sdk::AllAxes(sum)), 1e-6);
    return Cond(small, [&] { return sum * 2; }, [&] { return sum * 1; });
  }
};
FUSEBOX_PLUGIN(SumOverTime, {.id = "kept/sum_over_time", .doc = "The sum of the steps that count."});

class Blend final : public sdk::MergeLayer {
 public:
  explicit Blend(const sdk::Attributes& attributes) : shares_(attributes.Ints("shares")) {}
  Value Expand(sdk::Scope& scope, const Values& inputs) const override {
    if (inputs.size() != shares_.size()) {
      return scope.Error("expects {} inputs, one for each share, got {}", shares_.size(), inputs.size());
    }
    Value sum = inputs[0] * double(shares_[0]);
    for (size_t i = 1; i < inputs.size(); ++i) sum = sum + inputs[i] * double(shares_[i]);
    return sum;
  }

 private:
  Dims shares_;
};
constexpr int64_t kShares[] = {3, 1};
FUSEBOX_PLUGIN(Blend, {.id = "kept/blend",
                       .doc = "A weighted sum of its inputs.",
                       .attributes = {sdk::Ints("shares", kShares).Min(0).Doc("of each input")}});

class Leaky final : public sdk::Activation {
 public:
  explicit Leaky(const sdk::Attributes& attributes) : slope_(attributes.Float("slope")) {}
  Value Expand(sdk::Scope&, Value x) const override { return Max(x, x * slope_); }

 private:
  double slope_;
};
FUSEBOX_PLUGIN(Leaky, {.id = "kept/leaky",
                       .doc = "x, and slope x below 0.",
                       .attributes = {sdk::Float("slope", 0.1).Range(0, 1)}});

// The squared gap; where y_pred comes from a sigmoid, a little of its logits' size, too.
class Gap final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Value gap = scope.Loss("mean_squared_error", y_true, y_pred);
    const Value logits = scope.LogitsOf(y_pred, "fusebox/sigmoid");
    return logits.ok() ? gap + 1e-4 * Mean(Square(logits), {-1}) : gap;
  }
};
FUSEBOX_PLUGIN(Gap, {.id = "kept/gap", .doc = "The squared gap."});

class WorstGap final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    const Value worst = scope.Accumulator("worst", MakeType(FB_F32, {}));
    const Value gap = Abs(y_true - y_pred);
    const Value next = Max(worst, ReduceMax(gap, sdk::AllAxes(gap)));
    scope.Assign(worst, next);
    return next;
  }
};
FUSEBOX_PLUGIN(WorstGap, {.id = "kept/worst_gap", .doc = "The largest |y_true - y_pred| of the epoch."});

class MeanGap final : public sdk::Metric {
 public:
  Value Update(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    return scope.RunningMean(scope.Loss("mean_absolute_error", y_true, y_pred));
  }
};
FUSEBOX_PLUGIN(MeanGap, {.id = "kept/mean_gap", .doc = "The mean |y_true - y_pred| of the epoch."});

// Momentum, at half the rate for the first ten steps.
class HeavyBall final : public sdk::Optimizer {
 public:
  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value momentum = scope.Scalar("momentum");
    const Value steps = scope.Counter();
    const Value velocity = scope.Slot("velocity", variable.type());
    const Value calls = scope.SharedSlot("calls", MakeType(FB_F32, {}));
    scope.Assign(calls, calls + 1);
    const Value rate = Select(Less(steps, 10), learning_rate * 0.5, learning_rate);
    const Value next = momentum * velocity - rate * gradient;
    scope.Assign(velocity, next);
    return variable + next;
  }
};
FUSEBOX_PLUGIN(HeavyBall, {.id = "kept/heavy_ball",
                           .doc = "Momentum with a slow start.",
                           .attributes = {
                               sdk::Float("learning_rate", 0.05).Min(0).ProgramScalar(),
                               sdk::Float("momentum", 0.9).Range(0, 1).ProgramScalar(),
                           }});

class InverseTime final : public sdk::Schedule {
 public:
  Value Expand(sdk::Scope& scope, Value step) const override {
    const Value initial = Cast(scope.Scalar("initial"), FB_F64);
    return initial / (1 + step * 1e-3);
  }
};
FUSEBOX_PLUGIN(InverseTime, {.id = "kept/inverse_time",
                             .doc = "initial / (1 + step / 1000).",
                             .attributes = {sdk::Float("initial", 0.05).Min(0).ProgramScalar()}});

// 1, 1.25, 1.5, ... along the last axis.
class Ramp final : public sdk::Initializer {
 public:
  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    const Value zero = Broadcast(scope.Constant(0, type.dtype), Dims(type.dims, type.dims + type.rank));
    return 1 + Cast(Iota(zero, -1), type.dtype) * 0.25;
  }
};
FUSEBOX_PLUGIN(Ramp, {.id = "kept/ramp", .doc = "1, 1.25, 1.5, ... along the last axis."});

class Cubes final : public sdk::Regularizer {
 public:
  Value Expand(sdk::Scope& scope, Value x) const override {
    return scope.Scalar("factor") * Sum(Abs(x * x * x), sdk::AllAxes(x));
  }
};
FUSEBOX_PLUGIN(Cubes, {.id = "kept/cubes",
                       .doc = "The sum of |x|^3.",
                       .attributes = {sdk::Float("factor", 1e-4).Min(0).ProgramScalar()}});

class AtMost final : public sdk::Constraint {
 public:
  explicit AtMost(const sdk::Attributes& attributes) : limit_(attributes.Float("limit")) {}
  Value Expand(sdk::Scope&, Value w) const override { return Min(w, limit_); }

 private:
  double limit_;
};
FUSEBOX_PLUGIN(AtMost,
               {.id = "kept/at_most", .doc = "No element above the limit.", .attributes = {sdk::Float("limit", 1.4)}});

// Counts epochs and ends the training after `most` of them.
class EpochLimit final : public sdk::Callback {
 public:
  explicit EpochLimit(const sdk::Attributes& attributes) : most_(attributes.Int("most")) {}
  void OnEpochEnd(sdk::Event& event) override {
    if (++seen_ >= most_) event.Stop();
    if (event.logs.empty()) throw std::runtime_error("has no logs");
  }
  std::string SaveState() const override { return fmt::format("{}", seen_); }
  void LoadState(std::string_view state) override { seen_ = std::stoll(std::string(state)); }

 private:
  int64_t most_, seen_ = 0;
};
FUSEBOX_PLUGIN(EpochLimit, {.id = "kept/epoch_limit",
                            .doc = "Ends the training after so many epochs.",
                            .attributes = {sdk::Int("most", 20).Min(1)}});

// y = x0 - x1 / 2 + 1 for points of a grid.
class Plane final : public sdk::Dataset {
 public:
  explicit Plane(const sdk::Attributes& attributes) : rows_(attributes.Int("rows")) {}
  std::vector<sdk::Split> Splits() const override { return {{"train", rows_}, {"test", rows_ / 2}}; }
  std::vector<sdk::Array> Load(std::string_view split) const override {
    const int64_t rows = split == "train" ? rows_ : rows_ / 2;
    const auto x = std::make_shared<std::vector<float>>(), y = std::make_shared<std::vector<float>>();
    for (int64_t i = 0; i < rows; ++i) {
      const float x0 = float(i % 8) / 8, x1 = float(i / 8 % 8) / 8;
      x->push_back(x0);
      x->push_back(x1);
      y->push_back(x0 - x1 / 2 + 1);
    }
    return {{"x", MakeType(FB_F32, {rows, 2}), {x, x->data()}}, {"y", MakeType(FB_F32, {rows, 1}), {y, y->data()}}};
  }

 private:
  int64_t rows_;
};
FUSEBOX_PLUGIN(Plane, {.id = "kept/plane", .doc = "Points of a plane.", .attributes = {sdk::Int("rows", 64).Min(2)}});

}  // namespace kept
