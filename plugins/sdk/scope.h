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

class Scope {
  using Where = std::source_location;

 public:
  explicit Scope(const FbCall& call) : call_(call) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Whether the program is one that trains; else it evaluates or predicts.
  bool training() const { return (call_.flags & FB_TRAINING) != 0; }
  // Whether this layer is not to be trained (Keras's trainable=False), whatever the program does.
  bool frozen() const { return (call_.flags & FB_FROZEN) != 0; }
  uint32_t input_count() const { return call_.input_count; }
  Value Input(uint32_t i) const {
    if (i < call_.input_count) return Wrap(call_.inputs[i]);
    return Error("needs {} or more inputs, got {}", i + 1, call_.input_count);
  }

  // A weight of fixed dimensions; the initializer is a reference, "glorot_uniform" or "acme/constant:value=3".
  Value Weight(const char* name, const Dims& dims, const std::string& initializer, bool trainable = true,
               Where where = Where::current()) const {
    const uint32_t flags = trainable ? uint32_t{FB_TRAINABLE} : 0u;
    return Declare(FB_WEIGHT, flags, name, MakeType(FB_F32, dims), initializer, where);
  }
  // An optimizer's memory of a variable, zero at first.
  Value Slot(const char* name, const FbType& type, Where where = Where::current()) const {
    return Declare(FB_SLOT, 0, name, type, "zeros", where);
  }
  // A metric's memory, zero when an epoch (or an evaluation) begins.
  Value Accumulator(const char* name, const FbType& type, Where where = Where::current()) const {
    return Declare(FB_ACCUMULATOR, 0, name, type, "zeros", where);
  }
  // How many steps of training were done before this one: i64[]. Ask once.
  Value Counter(Where where = Where::current()) const {
    return Declare(FB_COUNTER, 0, "iterations", MakeType(FB_I64, {}), "zeros", where);
  }
  // The Float attribute of this name as an input of the program, f32[]: see Schema::ProgramScalar. Ask once.
  Value Scalar(const char* name, Where where = Where::current()) const {
    return Declare(FB_SCALAR, 0, name, MakeType(FB_F32, {}), "attribute", where);
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
  // The mean over all elements seen in this epoch so far, f32[]: sum of `values` over their number, in f64.
  Value RunningMean(Value values, Where where = Where::current()) const {
    Dims axes;
    for (int64_t i = 0; i < values.rank(); ++i) axes.push_back(i);
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
  Value Wrap(FbId id) const { return {call_.api, call_.builder, id}; }
  Value Declare(uint32_t kind, uint32_t flags, const char* name, const FbType& type, const std::string& initializer,
                Where where) const {
    const FbSource source = MakeSource(where);
    const FbState state = {sizeof state, kind, flags, 0, name, initializer.c_str(), &type, &source};
    return Wrap(call_.api->declare(call_.builder, &state));
  }

  const FbCall& call_;
};

}  // namespace fusebox::sdk
