// SPDX-License-Identifier: Apache-2.0
// Values of a model that is being declared: what Input gives, and what a call of a layer gives (Keras's KerasTensor).
//
//   auto a = fb::Input({5}, {.name = "wide_input"}), b = fb::Input({6}, {.name = "deep_input"});
//   auto h = fb::Dense(30, "relu")(b);
//   fb::Model model({a, b}, {fb::Dense(1)(fb::Concatenate()({a, h}))});
//
// They say how values come from each other, and hold no numbers. A Model copies what its outputs need. Whoever asks for a
// value's type is told it at once, so that ordinary C++ may depend on it:
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

// A value that is being declared.
class SymbolicTensor {
 public:
  SymbolicTensor() = default;  // No value: a Model of it is an error.
  explicit SymbolicTensor(std::shared_ptr<const SymbolicCall> call, size_t output = 0)
      : call_(std::move(call)), output_(output) {}

  // The call, or the input, that makes it; nullptr for none.
  const std::shared_ptr<const SymbolicCall>& call() const { return call_; }
  size_t output() const { return output_; }  // Which of its values this is.

  // f32[N,28]: what the layers before make of the inputs. An error is an error of the Model that the value goes into;
  // until then the type has the dtype kError and no dimensions.
  Type type() const;
  DType dtype() const { return type().dtype; }
  int64_t rank() const { return type().rank(); }
  // With the batch, which is -1.
  std::vector<int64_t> shape() const;
  // The size of an axis; -1 is the last one. 0 if there is no such axis.
  int64_t dim(int64_t axis) const;

 private:
  std::shared_ptr<const SymbolicCall> call_;
  size_t output_ = 0;
};

// One or several, so that a caller may write a, {a} or {a, b}.
class SymbolicTensors : public std::vector<SymbolicTensor> {
 public:
  SymbolicTensors() = default;
  SymbolicTensors(SymbolicTensor one) : vector({std::move(one)}) {}
  SymbolicTensors(std::initializer_list<SymbolicTensor> some) : vector(some) {}
  // Not of braces: {{5}} is to be a list of shapes, where there may be one, and no vector of five empty values.
  template <std::same_as<std::vector<SymbolicTensor>> Some>
  SymbolicTensors(Some some) : vector(std::move(some)) {}

  // No value, where there are not so many: a Model that needs it says so.
  const SymbolicTensor& operator[](size_t i) const {
    static const SymbolicTensor none;
    return i < size() ? data()[i] : none;
  }
};

// What a model's Call returns: one value, several in order, or several by name.
//
//   return y;     return {main, aux};     return {{"main_output", main}, {"aux_output", aux}};
class CallOutputs {
 public:
  CallOutputs() = default;
  CallOutputs(SymbolicTensor one) : values_(std::move(one)) {}
  CallOutputs(SymbolicTensors some) : values_(std::move(some)) {}
  CallOutputs(std::vector<SymbolicTensor> some) : values_(std::move(some)) {}
  CallOutputs(std::initializer_list<SymbolicTensor> some) : values_(some) {}
  CallOutputs(std::initializer_list<std::pair<std::string, SymbolicTensor>> named) {
    for (const auto& [name, value] : named) {
      names_.push_back(name);
      values_.push_back(value);
    }
  }

  // In order.
  const SymbolicTensors& values() const { return values_; }
  const std::vector<std::string>& names() const { return names_; }  // Empty, if they have none.

 private:
  SymbolicTensors values_;
  std::vector<std::string> names_;
};

// What Input may be told beyond the shape.
struct InputOptions {
  std::string name = {};      // Else as Keras counts: "input_layer", "input_layer_1".
  DType dtype = DType::kF32;  // What data are converted to.
};

// An input of samples of this shape, which is without the batch. Source: keras.Input.
SymbolicTensor Input(std::vector<int64_t> shape, InputOptions options = {},
                     std::source_location where = std::source_location::current());

}  // namespace fusebox
