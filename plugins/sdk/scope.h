// SPDX-License-Identifier: Apache-2.0
// Scope: where a symbolic item makes its declarations. Names are local to the item; the host prefixes the layer's name.
#pragma once
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "fusebox/plugins/sdk/schema.h"

namespace fusebox::sdk {

// A format string, checked at compile time, and its source line.
template <class... T>
struct FormatAt {
  // From a literal.
  template <class S>
    requires std::convertible_to<const S&, std::string_view>
  consteval FormatAt(const S& text, std::source_location w = std::source_location::current())
      : format(text), where(w) {}

  fmt::format_string<T...> format;  // Checked against the arguments' types.
  std::source_location where;       // The line that wrote it.
};

// 0, 1, ..., rank - 1.
inline Dims AllAxes(const Value& x) {
  Dims axes;
  for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

// What an item declares its states and reads its inputs with; lives for one call.
class Scope {
  using Where = std::source_location;

 public:
  explicit Scope(const FbCall& call) : call_(call) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Where the item is used: "dense_1"; for an optimizer "optimizer/dense_1/kernel".
  std::string path() const { return call_.path != nullptr ? call_.path : ""; }
  // Whether the program trains; otherwise it evaluates or predicts.
  bool training() const { return (call_.flags & FB_TRAINING) != 0; }
  // Whether this layer is frozen (Keras's trainable=False), in any program.
  bool frozen() const { return (call_.flags & FB_FROZEN) != 0; }
  // The values that the item is applied to, by number. Error: there are fewer.
  uint32_t input_count() const { return call_.input_count; }
  Value Input(uint32_t i) const {
    if (i < call_.input_count) return Wrap(call_.inputs[i]);
    return Error("needs {} or more inputs, got {}", i + 1, call_.input_count);
  }

  // Which steps of the input count, bool[N, ...]. The error value, without an error, if all do. For a metric: Mask(1).
  Value Mask(uint32_t i = 0) const {
    return call_.masks != nullptr && i < call_.input_count ? Wrap(call_.masks[i]) : Wrap(0);
  }
  // Sets which steps of the layer's result count. Losses and metrics leave out the others. See also FB_KEEPS_MASK.
  void SetMask(Value mask) const {
    if (mask.ok() && call_.api->set_mask != nullptr) call_.api->set_mask(call_.builder, mask.id);
  }

  // Declares a weight of fixed dimensions. The initializer is a reference: "glorot_uniform" or "acme/constant:value=3".
  Value Weight(const char* name, const Dims& dims, const std::string& initializer, bool trainable = true,
               Where where = Where::current()) const {
    return Weight(name, dims, WeightRules{initializer}, trainable, where);
  }
  // Declares a weight as the attributes say (Attributes::Rules): with a penalty on its values and a constraint that
  // they keep.
  Value Weight(const char* name, const Dims& dims, const WeightRules& rules, bool trainable = true,
               Where where = Where::current()) const {
    FbState state = MakeState(FB_WEIGHT, name, rules.initializer.c_str());
    if (trainable) state.flags = FB_TRAINABLE;
    if (!rules.regularizer.empty()) state.regularizer = rules.regularizer.c_str();
    if (!rules.constraint.empty()) state.constraint = rules.constraint.c_str();
    return Declare(state, MakeType(FB_F32, dims), where);
  }
  // Declares a statistic of data: a state of any dtype that no optimizer changes.
  Value Statistic(const char* name, const FbType& type, const std::string& initializer,
                  Where where = Where::current()) const {
    return Declare(MakeState(FB_WEIGHT, name, initializer.c_str()), type, where);
  }
  // Adds a penalty, f32[], to the loss in training and evaluation.
  void AddLoss(Value penalty) const {
    if (penalty.ok() && call_.api->add_loss != nullptr) call_.api->add_loss(call_.builder, penalty.id);
  }
  // Declares an optimizer's state for one variable. It starts at zero, or as the initializer says; "variable" is the
  // variable's own initial value. See FbState for the order.
  Value Slot(const char* name, const FbType& type, const std::string& initializer = "zeros", uint32_t order = 0,
             Where where = Where::current()) const {
    FbState state = MakeState(FB_SLOT, name, initializer.c_str());
    state.order = order;
    return Declare(state, type, where);
  }
  // Declares one optimizer state for all variables. Each variable's update may assign to it; all must assign the same
  // value.
  Value SharedSlot(const char* name, const FbType& type, const std::string& initializer = "zeros", uint32_t order = 0,
                   Where where = Where::current()) const {
    FbState state = MakeState(FB_SLOT, name, initializer.c_str());
    state.flags = FB_SHARED;
    state.order = order;
    return Declare(state, type, where);
  }
  // Declares a metric's state, reset to zero when an epoch (or an evaluation) begins.
  Value Accumulator(const char* name, const FbType& type, Where where = Where::current()) const {
    return Declare(MakeState(FB_ACCUMULATOR, name, "zeros"), type, where);
  }
  // The number of training steps before this one: i64[]. Ask once. For an optimizer: the number of updates (see
  // gradient_accumulation_steps); ask once per variable, all get the same value.
  Value Counter(Where where = Where::current()) const {
    return Declare(MakeState(FB_COUNTER, "iterations", "zeros"), MakeType(FB_I64, {}), where);
  }
  // The Float attribute of this name as an input of the program, f32[]: see Schema::ProgramScalar. Ask once (an
  // optimizer: once per variable, all get the same value).
  Value Scalar(const char* name, Where where = Where::current()) const {
    return Declare(MakeState(FB_SCALAR, name, "attribute"), MakeType(FB_F32, {}), where);
  }
  // Sets the value of the state after the step. Reads within the step still see the old value.
  void Assign(Value state, Value next) const {
    if (state.ok() && next.ok()) call_.api->assign(call_.builder, state.id, next.id);
  }

  // Uniform in [0, 1), drawn anew in every step, from a stream of its own.
  Value Random(const FbType& type, Where where = Where::current()) const {
    const FbSource source = MakeSource(where);
    return Wrap(call_.api->random(call_.builder, &type, &source));
  }
  // As above, but from this seed, unless it is kNoInt: the same numbers in any program. Ask once.
  Value Random(const FbType& type, int64_t seed, Where where = Where::current()) const {
    if (seed == kNoInt) return Random(type, where);
    const Dims dims(type.dims, type.dims + type.rank);
    const Value key = Constant(double(seed), FB_I64);
    return Emit("random_uniform", {key, Counter(where)},
                {{"dims", dims}, {"dtype", int64_t(type.dtype)}, {"stream", int64_t{0}}});
  }
  // A scalar of this dtype.
  Value Constant(double number, uint32_t dtype = FB_F32) const {
    return Wrap(call_.api->constant(call_.builder, number, dtype));
  }
  // Returns x if y is the result of the activation of this id applied to x. Otherwise the error value, without an
  // error.
  Value LogitsOf(Value y, const char* activation) const {
    return y.ok() ? Wrap(call_.api->preimage(call_.builder, y.id, activation)) : y;
  }
  // Another loss of y_true and y_pred, f32[N, ...]: "mean_squared_error", "huber:delta=2". It must declare no states.
  Value Loss(const std::string& reference, Value y_true, Value y_pred, Where where = Where::current()) const {
    if (!y_true.ok() || !y_pred.ok()) return {};
    const FbId inputs[] = {y_true.id, y_pred.id};
    const FbSource source = MakeSource(where);
    return Wrap(call_.api->expand(call_.builder, FB_LOSS, reference.c_str(), inputs, 2, &source));
  }
  // For a metric with sample weights: the weights of the samples, f32[N], or of their steps, f32[N, steps]. The error
  // value, without an error, if there are none.
  Value SampleWeight() const { return call_.input_count > 2 ? Wrap(call_.inputs[2]) : Wrap(0); }
  // Running sum of a metric: a state of the type of `step`. Returns the sum since the epoch began, including this step.
  Value Accumulated(const char* name, Value step, Where where = Where::current()) const {
    if (!step.ok()) return step;
    const Value state = Accumulator(name, step.type(), where);
    const Value next = state + step;
    Assign(state, next);
    return next;
  }
  // Mean over all elements of this epoch so far, f32[]: the sum of `values` divided by their number, in f64. If samples
  // (or steps) have weights: the weighted mean of the samples' means. If y_pred has a mask: only over values that it
  // marks.
  Value RunningMean(Value values, Where where = Where::current()) const {
    const Value mask = Mask(1);
    return mask.ok() ? MaskedMean(values, mask, where) : UnmaskedMean(values, where);
  }
  // The same, ignoring the mask.
  Value UnmaskedMean(Value values, Where where = Where::current()) const {
    const Value weight = SampleWeight();
    if (weight.ok()) return WeighedMean(values, weight, where);
    const Dims axes = AllAxes(values);
    const FbType scalar = MakeType(FB_F64, {});
    const Value total = Accumulator("total", scalar, where);
    const Value count = Accumulator("count", scalar, where);
    const Value wide = Cast(values, FB_F64);
    const Value new_total = total + Sum(wide, axes);
    const Value new_count = count + Extent(wide, axes);
    Assign(total, new_total);
    Assign(count, new_count);
    return Cast(new_total / new_count, FB_F32);
  }

  // Returns the error value. The host prefixes the message with the names of the layer and the plugin.
  template <class... T>
  Value Error(FormatAt<std::type_identity_t<T>...> format, T&&... arguments) const {
    const FbSource source = MakeSource(format.where);
    const std::string message = fmt::format(format.format, std::forward<T>(arguments)...);
    return Wrap(call_.api->error(call_.builder, message.c_str(), &source));
  }

 private:
  Value WeighedMean(Value values, Value weight, Where where) const {
    const Dims weighed = AllAxes(weight);
    if (values.rank() < weight.rank()) {
      return Error("has one number for each {}, and sample_weight is {}", values.type(), weight.type());
    }
    Dims inner = AllAxes(values);
    inner.erase(inner.begin(), inner.begin() + int64_t(weighed.size()));
    const Value samples = inner.empty() ? values : Mean(Cast(values, FB_F64), inner);
    const Value wide = Cast(weight, FB_F64);
    const Value total = Accumulated("total", Sum(Cast(samples, FB_F64) * wide, weighed), where);
    const Value count = Accumulated("count", Sum(wide, weighed), where);
    return Cast(DivideNoNan(total, count), FB_F32);
  }
  // As in Keras: averages over each sample's steps both the masked values and how much the steps count.
  Value MaskedMean(Value values, Value mask, Where where) const {
    const Value weight = SampleWeight();
    Dims inner;
    for (int64_t i = mask.rank(); i < values.rank(); ++i) inner.push_back(i);
    if (!inner.empty()) values = Mean(Cast(values, FB_F64), inner);
    if (!values.ok()) return values;
    if (values.dims() != mask.dims()) {
      return Error("expects one value or more for each step of the mask {}, got {}", mask.type(), values.type());
    }
    Value counts = Cast(mask, FB_F64);
    if (weight.ok()) {
      if (weight.rank() > mask.rank()) {
        return Error("has one number for each {}, and sample_weight is {}", mask.type(), weight.type());
      }
      Dims column = weight.dims();
      column.resize(size_t(mask.rank()), 1);
      counts = counts * Reshape(Cast(weight, FB_F64), column);
    }
    const Dims all = AllAxes(values);
    const Value steps = Extent(counts, Dims(all.begin() + 1, all.end()));
    const Value total = Accumulated("total", Sum(Select(mask, Cast(values, FB_F64), 0) * counts, all) / steps, where);
    const Value count = Accumulated("count", Sum(counts, all) / steps, where);
    return Cast(DivideNoNan(total, count), FB_F32);
  }
  Value Wrap(FbId id) const { return {call_.api, call_.builder, id}; }
  // The caller owns the strings.
  static FbState MakeState(uint32_t kind, const char* name, const char* initializer) {
    return {sizeof(FbState), kind, 0, 0, name, initializer, nullptr, nullptr, nullptr, nullptr};
  }
  Value Declare(FbState state, const FbType& type, Where where) const {
    const FbSource source = MakeSource(where);
    state.type = &type;
    state.source = &source;
    return Wrap(call_.api->declare(call_.builder, &state));
  }

  const FbCall& call_;
};

}  // namespace fusebox::sdk
