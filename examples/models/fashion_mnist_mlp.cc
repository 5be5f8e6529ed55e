// SPDX-License-Identifier: Apache-2.0
// Classifies Fashion-MNIST's images of clothing:
//     x [N, 28, 28] --flatten--> [N, 784] --dense, relu--> [N, 300] --dense, relu--> [N, 100]
//     --dense, softmax--> [N, 10]
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10.
//
// This source is a program, which trains the network:   build/release/bin/fashion_mnist_mlp [EPOCHS [SEED]]
// and a model for the fusebox command:                  build/release/bin/fusebox summary fashion_mnist_mlp
#include <cstdio>
#include <cstdlib>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

// The layers as a list.
absl::StatusOr<fb::Sequential> Build() {
  fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Dense(300, "relu"), fb::Dense(100, "relu"),
                        fb::Dense(10, "softmax")},
                       {.name = "fashion_mnist_mlp"});
  // Nothing above needs checking: the first error of the declaration is what Compile returns.
  const absl::Status compiled =
      model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build,
              {.id = "fashion_mnist_mlp", .doc = "Clothes by their pictures: 784 - 300 - 100 - 10, relu, softmax."});

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
  return model->Save("fashion_mnist.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 30, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
