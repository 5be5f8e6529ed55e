// SPDX-License-Identifier: Apache-2.0
// Values of a model that is being declared: what Input gives, and what a call of a layer gives (Keras's KerasTensor).
//
//   auto a = fb::Input({5}, {.name = "wide_input"}), b = fb::Input({6}, {.name = "deep_input"});
//   auto h = fb::Dense(30, "relu")(b);
//   fb::Model model({a, b}, {fb::Dense(1)(fb::Concatenate()({a, h}))});
//
// They only say how values come from each other, and hold no numbers and no shapes. A Model copies what its outputs need.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/graph/type.h"

namespace fusebox {

struct SymbolicCall;

class SymbolicTensor {
 public:
  SymbolicTensor() = default;  // No value: a Model of it is an error.
  explicit SymbolicTensor(std::shared_ptr<const SymbolicCall> call, size_t output = 0)
      : call_(std::move(call)), output_(output) {}

  // The call, or the input, that makes it; nullptr for none.
  const std::shared_ptr<const SymbolicCall>& call() const { return call_; }
  size_t output() const { return output_; }  // Which of its values this is.

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
  SymbolicTensors(std::vector<SymbolicTensor> some) : vector(std::move(some)) {}
};

struct InputOptions {
  std::string name = {};  // Else as Keras counts: "input_layer", "input_layer_1".
  DType dtype = DType::kF32;
};

// An input of samples of this shape, which is without the batch. Source: keras.Input.
SymbolicTensor Input(std::vector<int64_t> shape, InputOptions options = {},
                     std::source_location where = std::source_location::current());

}  // namespace fusebox
