// SPDX-License-Identifier: Apache-2.0
// The classes of tests/python/make_keras_subclass.py, built with fusebox.
#pragma once
#include <utility>
#include <vector>

#include "fusebox/runtime/sequential.h"

namespace fusebox::testing {

class KerasWideAndDeepModel final : public Model {
 public:
  KerasWideAndDeepModel() : Model(ModelOptions{.seed = 1}) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    const SymbolicTensor h = hidden2_(hidden1_(inputs[1]));
    return {{"main_output", main_output_(Concatenate()({inputs[0], h}))}, {"aux_output", aux_output_(h)}};
  }

 private:
  Layer hidden1_ = Dense(8, "relu", {.name = "hidden1"}), hidden2_ = Dense(7, "relu", {.name = "hidden2"});
  Layer main_output_ = Dense(1, {.name = "main_output"}), aux_output_ = Dense(1, {.name = "aux_output"});
};

// The inner class of the next one: a list of layers, and a norm.
class KerasEncoder final : public Model {
 public:
  explicit KerasEncoder(int64_t seed) : Model(ModelOptions{.name = "encoder", .seed = seed}) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    SymbolicTensor h = inputs[0];
    for (const Layer& layer : blocks_) h = layer(h);
    return norm_(h);
  }

 private:
  std::vector<Layer> blocks_ = LayerList("blocks", {Dense(6, "tanh"), Dense(5, "elu")});
  Layer norm_ = LayerNormalization({.name = "norm"});
};

// `heads` sorts before Keras's `layers`, and `stack` after it.
class KerasNestedModel final : public Model {
 public:
  explicit KerasNestedModel(int64_t seed = 1) : Model(ModelOptions{.seed = seed}), encoder_(seed) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    SymbolicTensor h = encoder_(inputs[0]);
    for (const Layer& layer : stack_) h = layer(h);
    return Add()({heads_[0](h), heads_[1](h)});
  }

 private:
  KerasEncoder encoder_;
  std::vector<Layer> heads_ = LayerList("heads", {Dense(2, "tanh"), Dense(2)});
  std::vector<Layer> stack_ = LayerList("stack", {Dense(3, "tanh")});
};

}  // namespace fusebox::testing
