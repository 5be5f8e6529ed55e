// SPDX-License-Identifier: Apache-2.0
// The models of tests/python/make_keras_functional.py, built with fusebox.
#pragma once
#include "fusebox/runtime/sequential.h"

namespace fusebox::testing {

inline Model TwoOutputs() {
  const SymbolicTensor wide = Input({5}, {.name = "wide_input"}), deep = Input({6}, {.name = "deep_input"});
  const SymbolicTensor h = Dense(7, "relu", {.name = "h2"})(Dense(8, "relu", {.name = "h1"})(deep));
  const SymbolicTensor both = Concatenate({.name = "both"})({wide, h});
  return Model({wide, deep}, {Dense(3, "softmax", {.name = "main_output"})(both), Dense(1, {.name = "aux_output"})(h)},
               {.name = "two_outputs", .seed = 1});
}

inline absl::Status CompileTwoOutputs(Model& model) {
  return model.Compile(
      {.optimizer = "sgd:learning_rate=0.1",
       .loss = {{"main_output", "sparse_categorical_crossentropy"}, {"aux_output", "mean_squared_error"}},
       .loss_weights = {{"main_output", 0.9}, {"aux_output", 0.1}},
       .metrics = {{"main_output", {"accuracy"}}}});
}

inline Model Nested() {
  const Sequential encoder({Dense(5, "relu", {.name = "d"}), BatchNormalization({.momentum = 0.9, .name = "n"})},
                           {.name = "encoder"});
  const SymbolicTensor code = Input({5}, {.name = "code"});
  const Model head(code,
                   Dense(3, {.kernel_regularizer = "l2", .name = "last"})(Dense(6, "tanh", {.name = "first"})(code)),
                   {.name = "head"});
  const SymbolicTensor a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  return Model({a, b}, Add({.name = "sum"})({head(encoder(a)), head(encoder(b))}), {.name = "nested", .seed = 1});
}

inline absl::Status CompileNested(Model& model) {
  return model.Compile({.optimizer = "sgd:learning_rate=0.05,momentum=0.9", .loss = "mean_squared_error"});
}

}  // namespace fusebox::testing
