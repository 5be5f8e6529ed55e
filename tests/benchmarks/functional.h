// SPDX-License-Identifier: Apache-2.0
// Jobs for functional models, which peers/ times, too; 20,640 synthetic samples, mean squared error, SGD:
//   WideAndDeep   8 - 30 - 30 with relu, concatenated with the input - 1
//   TwoOutputs    6 - 30 - 30 with relu = h; h concatenated with 5 - 1 (weight 0.9), and h - 1 (weight 0.1)
#pragma once
#include <vector>

#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {

struct FunctionalJob {
  fusebox::Model model;
  std::vector<Tensor> x, y;
};

inline Tensor SpreadRows(int64_t width, uint32_t salt) {
  Tensor numbers(DType::kF32, {kTiny.rows, width});
  Spread(numbers.mutable_values<float>(), salt, 1);
  return numbers;
}

inline FunctionalJob WideAndDeep() {
  const SymbolicTensor input = Input({8});
  const SymbolicTensor h1 = Dense(30, "relu")(input), h2 = Dense(30, "relu")(h1);
  fusebox::Model model(input, Dense(1)(Concatenate()({input, h2})), {.seed = 42});
  OrDie(model.Compile({.optimizer = "sgd:learning_rate=0.01", .loss = "mean_squared_error"}));
  return {std::move(model), {SpreadRows(8, 0)}, {SpreadRows(1, 1)}};
}

inline FunctionalJob TwoOutputs() {
  const SymbolicTensor wide = Input({5}), deep = Input({6});
  const SymbolicTensor h1 = Dense(30, "relu")(deep), h2 = Dense(30, "relu")(h1);
  fusebox::Model model(
      {wide, deep},
      {Dense(1, {.name = "main_output"})(Concatenate()({wide, h2})), Dense(1, {.name = "aux_output"})(h2)},
      {.seed = 42});
  OrDie(model.Compile({.optimizer = "sgd:learning_rate=0.01",
                       .loss = "mean_squared_error",
                       .loss_weights = {{"main_output", 0.9}, {"aux_output", 0.1}}}));
  const Tensor y = SpreadRows(1, 2);
  return {std::move(model), {SpreadRows(5, 0), SpreadRows(6, 1)}, {y, y}};
}

}  // namespace fusebox::benchmarks
