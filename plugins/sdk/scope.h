// SPDX-License-Identifier: Apache-2.0
// Scope: what a symbolic item declares in. Names are the item's own; the host puts the layer's name before them.
#pragma once
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "fusebox/plugins/sdk/schema.h"

namespace fusebox::sdk {

// A format string, checked when compiled, and the line that it stands in.
template <class... T>
struct FormatAt {
  template <class S>
    requires std::convertible_to<const S&, std::string_view>
  consteval FormatAt(const S& text, std::source_location w = std::source_location::current())
      : format(text), where(w) {}

  fmt::format_string<T...> format;
  std::source_location where;
};

inline Dims AllAxes(const Value& x) {
  Dims axes;
  for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

class Scope {
  using Where = std::source_location;

 public:
  explicit Scope(const FbCall& call) : call_(call) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Where the item is used: "dense_1"; of an optimizer "optimizer/dense_1/kernel".
  std::string path() const { return call_.path != nullptr ? call_.path : ""; }
  // Whether the program is one that trains; else it evaluates or predicts.
  bool training() const { return (call_.flags & FB_TRAINING) != 0; }
  // Whether this layer is not to be trained (Keras's trainable=False), whatever the program does.
  bool frozen() const { return (call_.flags & FB_FROZEN) != 0; }
  uint32_t input_count() const { return call_.input_count; }
  Value Input(uint32_t i) const {
    if (i < call_.input_count) return Wrap(call_.inputs[i]);
    return Error("needs {} or more inputs, got {}", i + 1, call_.input_count);
  }

  // Which steps of the input count, bool[N, ...]; the error value, and no error, where all do. Of a metric: Mask(1).
  Value Mask(uint32_t i = 0) const {
    return call_.masks != nullptr && i < call_.input_count ? Wrap(call_.masks[i]) : Wrap(0);
  }
  // Which steps of the layer's result count: losses and metrics leave out the others. See FB_KEEPS_MASK, too.
  void SetMask(Value mask) const {
    if (mask.ok() && call_.api->set_mask != nullptr) call_.api->set_mask(call_.builder, mask.id);
  }

  // A weight of fixed dimensions; the initializer is a reference, "glorot_uniform" or "acme/constant:value=3".
  Value Weight(const char* name, const Dims& dims, const std::string& initializer, bool trainable = true,
               Where where = Where::current()) const {
    return Weight(name, dims, WeightRules{initializer}, trainable, where);
  }
  // As its attributes say (Attributes::Rules): with a penalty on its values, and a constraint that they keep.
  Value Weight(const char* name, const Dims& dims, const WeightRules& rules, bool trainable = true,
               Where where = Where::current()) const {
    FbState state = MakeState(FB_WEIGHT, name, rules.initializer.c_str());
    if (trainable) state.flags = FB_TRAINABLE;
    if (!rules.regularizer.empty()) state.regularizer = rules.regularizer.c_str();
    if (!rules.constraint.empty()) state.constraint = rules.constraint.c_str();
    return Declare(state, MakeType(FB_F32, dims), where);
  }
  // One of any dtype, which no optimizer changes: a statistic of data.
  Value Statistic(const char* name, const FbType& type, const std::string& initializer,
                  Where where = Where::current()) const {
    return Declare(MakeState(FB_WEIGHT, name, initializer.c_str()), type, where);
  }
  // A penalty, f32[], which is added to the loss in training and evaluation.
  void AddLoss(Value penalty) const {
    if (penalty.ok() && call_.api->add_loss != nullptr) call_.api->add_loss(call_.builder, penalty.id);
  }
  // An optimizer's memory of a variable, zero at first; or as an initializer says, "variable" being the variable's own
  // first value. For the order see FbState.
  Value Slot(const char* name, const FbType& type, const std::string& initializer = "zeros", uint32_t order = 0,
             Where where = Where::current()) const {
    FbState state = MakeState(FB_SLOT, name, initializer.c_str());
    state.order = order;
    return Declare(state, type, where);
  }
  // A memory that an optimizer has once, for all variables. Each of them may assign to it, and all the same.
  Value SharedSlot(const char* name, const FbType& type, const std::string& initializer = "zeros", uint32_t order = 0,
                   Where where = Where::current()) const {
    FbState state = MakeState(FB_SLOT, name, initializer.c_str());
    state.flags = FB_SHARED;
    state.order = order;
    return Declare(state, type, where);
  }
  // A metric's memory, zero when an epoch (or an evaluation) begins.
  Value Accumulator(const char* name, const FbType& type, Where where = Where::current()) const {
    return Declare(MakeState(FB_ACCUMULATOR, name, "zeros"), type, where);
  }
  // How many steps of training were done before this one: i64[]. Ask once. Of an optimizer: how many updates (see
  // gradient_accumulation_steps); it is asked once a variable, and all get the same.
  Value Counter(Where where = Where::current()) const {
    return Declare(MakeState(FB_COUNTER, "iterations", "zeros"), MakeType(FB_I64, {}), where);
  }
  // The Float attribute of this name as an input of the program, f32[]: see Schema::ProgramScalar. Ask once (an optimizer:
  // once a variable, and all get the same).
  Value Scalar(const char* name, Where where = Where::current()) const {
    return Declare(MakeState(FB_SCALAR, name, "attribute"), MakeType(FB_F32, {}), where);
  }
  // What the state holds after the step. Whoever reads it in this step still reads what it held before.
  void Assign(Value state, Value next) const {
    if (state.ok() && next.ok()) call_.api->assign(call_.builder, state.id, next.id);
  }

  // Uniform in [0, 1), anew in every step, from a stream of its own.
  Value Random(const FbType& type, Where where = Where::current()) const {
    const FbSource source = MakeSource(where);
    return Wrap(call_.api->random(call_.builder, &type, &source));
  }
  // Likewise, but from this seed, if it is not kNoInt: the same numbers in any program. Ask once.
  Value Random(const FbType& type, int64_t seed, Where where = Where::current()) const {
    if (seed == kNoInt) return Random(type, where);
    const Dims dims(type.dims, type.dims + type.rank);
    const Value key = Constant(double(seed), FB_I64);
    return Emit("random_uniform", {key, Counter(where)},
                {{"dims", dims}, {"dtype", int64_t(type.dtype)}, {"stream", int64_t{0}}});
  }
  Value Constant(double number, uint32_t dtype = FB_F32) const {
    return Wrap(call_.api->constant(call_.builder, number, dtype));
  }
  // If y is what the activation of this id made of some x: x. Else the error value, and that is no error.
  Value LogitsOf(Value y, const char* activation) const {
    return y.ok() ? Wrap(call_.api->preimage(call_.builder, y.id, activation)) : y;
  }
  // What another loss makes of them, f32[N, ...]: "mean_squared_error", "huber:delta=2". It is to have no states.
  Value Loss(const std::string& reference, Value y_true, Value y_pred, Where where = Where::current()) const {
    if (!y_true.ok() || !y_pred.ok()) return {};
    const FbId inputs[] = {y_true.id, y_pred.id};
    const FbSource source = MakeSource(where);
    return Wrap(call_.api->expand(call_.builder, FB_LOSS, reference.c_str(), inputs, 2, &source));
  }
  // Of a metric that weighs its samples: their weights, f32[N], or those of their steps, f32[N, steps]. The error value,
  // and no error, if it does not.
  Value SampleWeight() const { return call_.input_count > 2 ? Wrap(call_.inputs[2]) : Wrap(0); }
  // What a metric adds up: a state of the type of `step`, the sum of all these since the epoch began, this one with them.
  Value Accumulated(const char* name, Value step, Where where = Where::current()) const {
    if (!step.ok()) return step;
    const Value state = Accumulator(name, step.type(), where);
    const Value next = state + step;
    Assign(state, next);
    return next;
  }
  // The mean over all elements seen in this epoch so far, f32[]: sum of `values` over their number, in f64. Where samples
  // (or steps) have weights: of the mean of each, weighed. Where y_pred has a mask: of those values that it lets count.
  Value RunningMean(Value values, Where where = Where::current()) const {
    const Value mask = Mask(1);
    return mask.ok() ? MaskedMean(values, mask, where) : UnmaskedMean(values, where);
  }
  // The same whatever the mask says.
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

  // Returns the error value. The host puts the layer's name and the plugin's before the message.
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
    return Cast(Select(Equal(count, 0), 0, total / count), FB_F32);
  }
  // As Keras: the means over each sample's steps of what counts, and of how much it counts.
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
    return Cast(Select(Equal(count, 0), 0, total / count), FB_F32);
  }
  Value Wrap(FbId id) const { return {call_.api, call_.builder, id}; }
  // The strings are the caller's.
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
