// SPDX-License-Identifier: Apache-2.0
// Multiclass classification: which of three spiral arms a point lies on. A point is on exactly one arm, so the units of
// the last layer share one softmax.
//     x [N, 2] --dense, tanh--> [N, 32] --dense, tanh--> [N, 32] --dense, softmax--> y [N, 3]
// Labels are the indices of the arms, 0, 1, 2, so the loss is sparse_categorical_crossentropy. For one-hot labels it
// would be categorical_crossentropy.
//
// This source is a program, which trains the network:   build/release/bin/spirals [EPOCHS [SEED]]
// and a model for the fusebox command:                  build/release/bin/fusebox summary spirals
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <random>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Sequential> Build() {
  fb::Sequential model({fb::Input({2}), fb::Dense(32, "tanh"), fb::Dense(32, "tanh"), fb::Dense(3, "softmax")},
                       {.name = "spirals"});
  const absl::Status compiled = model.Compile(
      {.optimizer = "adam:learning_rate=0.01", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build, {.id = "spirals", .doc = "Which spiral arm a point is on: 2 - 32 - 32 - 3, softmax."});

namespace {

// Arms that make half a turn on their way out, a third of a turn apart.
fb::Data Spirals(int64_t rows, uint32_t seed) {
  fb::Data data{fb::Tensor(fb::DType::kF32, {rows, 2}), fb::Tensor(fb::DType::kI32, {rows})};
  const auto x = data.x.mutable_values<float>();
  const auto y = data.y.mutable_values<int32_t>();
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> radius(0.1, 1);
  std::normal_distribution<double> noise(0, 0.45);
  for (size_t i = 0; i < size_t(rows); ++i) {
    const double r = radius(random);
    y[i] = int32_t(i % 3);
    const double angle = std::numbers::pi * (r + y[i] * 2.0 / 3) + noise(random);
    x[2 * i] = float(r * std::cos(angle));
    x[2 * i + 1] = float(r * std::sin(angle));
  }
  return data;
}

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<fb::Sequential> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const fb::Data train = Spirals(1500, 1), test = Spirals(1500, 2);
  const absl::StatusOr<fb::History> history = model->Fit(train.x, train.y, {.epochs = epochs, .validation_split = 0.2});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(test.x, test.y);
  if (!result.ok()) return result.status();
  std::printf("test: accuracy %.4f, loss %.4f\n", (*result)["accuracy"], (*result)["loss"]);
  return model->Save("spirals.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 30, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
