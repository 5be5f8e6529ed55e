// SPDX-License-Identifier: Apache-2.0
// Predicts house prices, with some features on the wide path to the output and some on the deep one:
//     deep_input [N, 6] --dense, relu--> [N, 30] --dense, relu--> [N, 30]
//     --concatenated with wide_input [N, 5]--> [N, 35] --dense--> y [N, 1]
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10; Cheng et al.
// (2016), Wide & Deep Learning for Recommender Systems.
//
// This source is a program, which trains the network:   build/release/bin/wide_and_deep_two_inputs [EPOCHS [SEED]]
// (it reads california_housing.csv in FUSEBOX_DATA_DIR: see plugins/datasets/california_housing.cc),
// and a model for the fusebox command:                  build/release/bin/fusebox summary wide_and_deep_two_inputs
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Model> Build() {
  const fb::SymbolicTensor wide = fb::Input({5}, {.name = "wide_input"});
  const fb::SymbolicTensor deep = fb::Input({6}, {.name = "deep_input"});
  const fb::SymbolicTensor hidden1 = fb::Dense(30, "relu")(deep);
  const fb::SymbolicTensor hidden2 = fb::Dense(30, "relu")(hidden1);
  const fb::SymbolicTensor both = fb::Concatenate()({wide, hidden2});
  fb::Model model({wide, deep}, fb::Dense(1, {.name = "output"})(both), {.name = "wide_and_deep_two_inputs"});
  const absl::Status compiled = model.Compile({.optimizer = "sgd:learning_rate=0.001", .loss = "mean_squared_error"});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build,
              {.id = "wide_and_deep_two_inputs", .doc = "House prices: 5 features wide, 6 deep through 30 - 30."});

namespace {

// Copies some columns of all rows (rows are contiguous, columns are not).
fb::Tensor Columns(const fb::Tensor& x, int64_t begin, int64_t end) {
  fb::Tensor some(fb::DType::kF32, {x.rows(), end - begin});
  const auto from = x.values<float>();
  const auto to = some.mutable_values<float>();
  const size_t width = size_t(x.shape()[1]), count = size_t(end - begin);
  for (size_t row = 0; row < size_t(x.rows()); ++row)
    std::copy_n(from.begin() + ptrdiff_t(row * width + size_t(begin)), count, to.begin() + ptrdiff_t(row * count));
  return some;
}

// The first five features are the wide input, the last six the deep one; two are in both.
fb::Arrays Inputs(const fb::Tensor& x) { return {{"wide_input", Columns(x, 0, 5)}, {"deep_input", Columns(x, 2, 8)}}; }

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<fb::Model> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const absl::StatusOr<fb::Data> train = fb::LoadData("california_housing:standardized=true/train[:75%]");
  const absl::StatusOr<fb::Data> valid = fb::LoadData("california_housing:standardized=true/train[75%:]");
  const absl::StatusOr<fb::Data> test = fb::LoadData("california_housing:standardized=true/test");
  for (const auto* data : {&train, &valid, &test}) {
    if (!data->ok()) return data->status();
  }
  const absl::StatusOr<fb::History> history =
      model->Fit(Inputs(train->x), train->y, {.epochs = epochs, .validation_data = {{Inputs(valid->x), valid->y}}});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(Inputs(test->x), test->y);
  if (!result.ok()) return result.status();
  std::printf("test: loss %.4f\n", (*result)["loss"]);
  return model->Save("wide_and_deep_two_inputs.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 20, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
