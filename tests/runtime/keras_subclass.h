// SPDX-License-Identifier: Apache-2.0
// The class that tests/python/make_keras_subclass.py trains.
#pragma once
#include <utility>

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

}  // namespace fusebox::testing
