// SPDX-License-Identifier: Apache-2.0
// Values of a model that is being declared: an Input, or the result of calling a layer (Keras's KerasTensor).
//
//   auto a = fb::Input({5}, {.name = "wide_input"}), b = fb::Input({6}, {.name = "deep_input"});
//   auto h = fb::Dense(30, "relu")(b);
//   fb::Model model({a, b}, {fb::Dense(1)(fb::Concatenate()({a, h}))});
//
// Symbolic tensors record which values are computed from which; they hold no numbers. A Model copies the part of this
// record that its outputs need. A value's type is available at once, so ordinary C++ may depend on it:
//
//   for (auto h = x; h.dim(-1) > 1; h = fb::Dense(h.dim(-1) / 2)(h)) ...
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/graph/type.h"

namespace fusebox {

struct SymbolicCall;

// A value of a model that is being declared. See above.
class SymbolicTensor {
 public:
  SymbolicTensor() = default;  // An empty value. A Model that uses it reports an error.
  // Output number `output` of a call, or an input.
  explicit SymbolicTensor(std::shared_ptr<const SymbolicCall> call, size_t output = 0)
      : call_(std::move(call)), output_(output) {}

  // The call or input that makes this value. Null for an empty value.
  const std::shared_ptr<const SymbolicCall>& call() const { return call_; }
  size_t output() const { return output_; }  // The number of this value among the call's outputs.

  // The type that the layers before infer from the inputs: f32[N,28]. After an error the type has the dtype kError and
  // no dimensions; the Model that uses the value then reports the error.
  Type type() const;
  DType dtype() const { return type().dtype; }    // The dtype of type().
  int64_t rank() const { return type().rank(); }  // The number of dimensions, the batch included.
  // The dimensions, the batch included. The batch is -1.
  std::vector<int64_t> shape() const;
  // The size of an axis; -1 means the last axis. Returns 0 if there is no such axis.
  int64_t dim(int64_t axis) const;

 private:
  std::shared_ptr<const SymbolicCall> call_;
  size_t output_ = 0;
};

// One value or several, so that a caller may write a, {a} or {a, b}.
class SymbolicTensors : public std::vector<SymbolicTensor> {
 public:
  // No values, one value, or several.
  SymbolicTensors() = default;
  SymbolicTensors(SymbolicTensor one) : vector({std::move(one)}) {}
  SymbolicTensors(std::initializer_list<SymbolicTensor> some) : vector(some) {}
  // Takes a vector, but no braces: where an overload takes a list of shapes, {{5}} has to mean that list, not a vector
  // of five empty values.
  template <std::same_as<std::vector<SymbolicTensor>> Some>
  SymbolicTensors(Some some) : vector(std::move(some)) {}

  // Returns an empty value if `i` is out of range. A Model that uses the empty value reports an error.
  const SymbolicTensor& operator[](size_t i) const {
    static const SymbolicTensor none;
    return i < size() ? data()[i] : none;
  }
};

// The result of a model's Call: one value, several in order, or several by name.
//
//   return y;     return {main, aux};     return {{"main_output", main}, {"aux_output", aux}};
class CallOutputs {
 public:
  // No output, one, or several without names.
  CallOutputs() = default;
  CallOutputs(SymbolicTensor one) : values_(std::move(one)) {}
  CallOutputs(SymbolicTensors some) : values_(std::move(some)) {}
  CallOutputs(std::vector<SymbolicTensor> some) : values_(std::move(some)) {}
  CallOutputs(std::initializer_list<SymbolicTensor> some) : values_(some) {}
  // Outputs with names.
  CallOutputs(std::initializer_list<std::pair<std::string, SymbolicTensor>> named) {
    for (const auto& [name, value] : named) {
      names_.push_back(name);
      values_.push_back(value);
    }
  }

  const SymbolicTensors& values() const { return values_; }         // The outputs, in order.
  const std::vector<std::string>& names() const { return names_; }  // Their names. Empty if they have none.

 private:
  SymbolicTensors values_;
  std::vector<std::string> names_;
};

// Options of Input.
struct InputOptions {
  std::string name = {};      // Name of the input. If empty, counted as in Keras: "input_layer", "input_layer_1".
  DType dtype = DType::kF32;  // The dtype that the program computes with. Data of other dtypes are converted to it.
};

// Declares an input for samples of this shape, given without the batch. Source: keras.Input.
SymbolicTensor Input(std::vector<int64_t> shape, InputOptions options = {},
                     std::source_location where = std::source_location::current());

}  // namespace fusebox
