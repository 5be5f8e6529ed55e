// SPDX-License-Identifier: Apache-2.0
// The classifier of fashion_mnist_mlp.cc, built layer by layer:
//     x [N, 28, 28] --flatten--> [N, 784] --dense, relu--> [N, 300] --dense, relu--> [N, 100]
//     --dense, softmax--> [N, 10]
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10.
//
// This source is a program, which trains the network:   build/release/bin/sequential_by_adding [EPOCHS [SEED]]
// and a model for the fusebox command:                  build/release/bin/fusebox summary sequential_by_adding
#include <cstdio>
#include <cstdlib>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

// Adds layers one by one: they may depend on anything that the program knows.
absl::StatusOr<fb::Sequential> Build() {
  fb::Sequential model({.name = "sequential_by_adding"});
  model.Add(fb::Input({28, 28}));
  model.Add(fb::Flatten());
  for (const int64_t units : {300, 100}) model.Add(fb::Dense(units, "relu"));
  model.Add(fb::Dense(10, "softmax"));
  const absl::Status compiled = model.Compile(
      {.optimizer = "sgd:learning_rate=0.01", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build, {.id = "sequential_by_adding", .doc = "fashion_mnist_mlp, built layer by layer."});

namespace {

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<fb::Sequential> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const absl::StatusOr<fb::Data> train = fb::LoadData("fashion_mnist:train[5000:]");
  const absl::StatusOr<fb::Data> valid = fb::LoadData("fashion_mnist:train[:5000]");
  const absl::StatusOr<fb::Data> test = fb::LoadData("fashion_mnist:test");
  for (const auto* data : {&train, &valid, &test}) {
    if (!data->ok()) return data->status();
  }
  const absl::StatusOr<fb::History> history =
      model->Fit(train->x, train->y, {.epochs = epochs, .batch_size = 32, .validation_data = *valid});
  if (!history.ok()) return history.status();

  const absl::StatusOr<fb::Logs> result = model->Evaluate(test->x, test->y);
  if (!result.ok()) return result.status();
  std::printf("test: accuracy %.4f, loss %.4f\n", (*result)["accuracy"], (*result)["loss"]);
  return model->Save("sequential_by_adding.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 30, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
