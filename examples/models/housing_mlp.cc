// SPDX-License-Identifier: Apache-2.0
// Predicts house prices with a plain network, and compares three losses:
//     x [N, 8] --dense, relu--> [N, 30] --dense, relu--> [N, 30] --dense--> y [N, 1]
//     mean_squared_error    penalizes large errors most: a few block groups with expensive houses dominate it
//     mean_absolute_error   penalizes all errors alike, so it aims at the median
//     huber                 the first for errors below 1, the second beyond
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10; Huber (1964),
// Robust Estimation of a Location Parameter.
//
// This source is a program, which trains a network with each loss:   build/release/bin/housing_mlp [EPOCHS [SEED]]
// (it reads california_housing.csv in FUSEBOX_DATA_DIR: see plugins/datasets/california_housing.cc),
// and a model for the fusebox command:                               build/release/bin/fusebox summary housing_mlp
#include <cstdio>
#include <cstdlib>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Sequential> BuildFor(const std::string& loss) {
  fb::Sequential model({fb::Dense(30, "relu", {.input_shape = {8}}), fb::Dense(30, "relu"), fb::Dense(1)},
                       {.name = "housing_mlp"});
  const absl::Status compiled =
      model.Compile({.optimizer = "adam", .loss = loss, .metrics = {"mean_absolute_error", "root_mean_squared_error"}});
  if (!compiled.ok()) return compiled;
  return model;
}

absl::StatusOr<fb::Sequential> Build(const fb::sdk::Attributes& attributes) {
  return BuildFor(attributes.String("loss"));
}

FUSEBOX_MODEL(Build, {.id = "housing_mlp",
                      .doc = "House prices: 8 - 30 - 30 - 1, relu.",
                      .attributes = {fb::sdk::String("loss", "mean_squared_error").Doc("loss to minimize")}});

namespace {

absl::Status Train(int64_t epochs, int64_t seed) {
  const absl::StatusOr<fb::Data> train = fb::LoadData("california_housing:standardized=true/train[:75%]");
  const absl::StatusOr<fb::Data> valid = fb::LoadData("california_housing:standardized=true/train[75%:]");
  const absl::StatusOr<fb::Data> test = fb::LoadData("california_housing:standardized=true/test");
  for (const auto* data : {&train, &valid, &test}) {
    if (!data->ok()) return data->status();
  }
  for (const char* loss : {"mean_squared_error", "mean_absolute_error", "huber"}) {
    fb::SetRandomSeed(seed);
    absl::StatusOr<fb::Sequential> model = BuildFor(loss);
    if (!model.ok()) return model.status();
    const absl::StatusOr<fb::History> history =
        model->Fit(train->x, train->y, {.epochs = epochs, .validation_data = *valid});
    if (!history.ok()) return history.status();
    const absl::StatusOr<fb::Logs> result = model->Evaluate(test->x, test->y);
    if (!result.ok()) return result.status();
    std::printf("%s: mean_absolute_error %.4f, root_mean_squared_error %.4f\n", loss, (*result)["mean_absolute_error"],
                (*result)["root_mean_squared_error"]);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 20, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
