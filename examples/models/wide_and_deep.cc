// SPDX-License-Identifier: Apache-2.0
// Predicts house prices, wide and deep: simple patterns take the short path to the output, complex ones the deep path:
//     x [N, 8] --dense, relu--> [N, 30] --dense, relu--> [N, 30] --concatenated with x--> [N, 38] --dense--> y [N, 1]
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10; Cheng et al.
// (2016), Wide & Deep Learning for Recommender Systems.
//
// This source is a program, which trains the network:   build/release/bin/wide_and_deep [EPOCHS [SEED]]
// (it reads california_housing.csv in FUSEBOX_DATA_DIR: see plugins/datasets/california_housing.cc),
// and a model for the fusebox command:                  build/release/bin/fusebox summary wide_and_deep
#include <cstdio>
#include <cstdlib>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Model> Build() {
  const fb::SymbolicTensor input = fb::Input({8}, {.name = "input"});
  const fb::SymbolicTensor hidden1 = fb::Dense(30, "relu")(input);
  const fb::SymbolicTensor hidden2 = fb::Dense(30, "relu")(hidden1);
  const fb::SymbolicTensor both = fb::Concatenate()({input, hidden2});
  fb::Model model(input, fb::Dense(1, {.name = "output"})(both), {.name = "wide_and_deep"});
  // Nothing above needs checking: the first error of the declaration is what Compile returns.
  const absl::Status compiled = model.Compile({.optimizer = "sgd:learning_rate=0.001", .loss = "mean_squared_error"});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build,
              {.id = "wide_and_deep", .doc = "House prices: 8 features, deep through 30 - 30 and wide beside it."});

namespace {

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
      model->Fit(train->x, train->y, {.epochs = epochs, .validation_data = *valid});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(test->x, test->y);
  if (!result.ok()) return result.status();
  std::printf("test: loss %.4f\n", (*result)["loss"]);
  return model->Save("wide_and_deep.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 20, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
