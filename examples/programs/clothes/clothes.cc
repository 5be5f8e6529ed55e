// SPDX-License-Identifier: Apache-2.0
// README's first program: trains a classifier on Fashion-MNIST, tests it and saves it.
#include <fusebox/fusebox.h>

#include <cstdio>

namespace fb = fusebox;

absl::Status Run() {
  fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Dense(300, "relu"), fb::Dense(100, "relu"),
                        fb::Dense(10, "softmax")});
  const absl::StatusOr<fb::Data> train = fb::LoadData("fashion_mnist:train"), test = fb::LoadData("fashion_mnist:test");
  if (!train.ok() || !test.ok()) return train.ok() ? test.status() : train.status();
  absl::Status status =
      model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  if (status.ok()) status = model.Fit(train->x, train->y, {.epochs = 5, .validation_split = 0.1}).status();
  if (!status.ok()) return status;
  const absl::StatusOr<fb::Logs> result = model.Evaluate(test->x, test->y);
  if (!result.ok()) return result.status();
  std::printf("test accuracy: %.3f\n", (*result)["accuracy"]);
  return model.Save("clothes.keras");
}

int main() {
  const absl::Status status = Run();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
