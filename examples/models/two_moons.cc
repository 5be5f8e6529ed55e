// SPDX-License-Identifier: Apache-2.0
// Binary classification: which of two interlocking crescents a point belongs to.
//     x [N, 2] --dense, relu--> [N, 16] --dense, relu--> [N, 16] --dense, sigmoid--> y [N, 1]
// One unit with a sigmoid gives the probability of "yes"; binary_crossentropy is the matching loss.
//
// This source is a program, which trains the network:   build/release/bin/two_moons [EPOCHS [SEED]]
// and a model for the fusebox command:                  build/release/bin/fusebox summary two_moons
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <random>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Sequential> Build() {
  fb::Sequential model({fb::Input({2}), fb::Dense(16, "relu"), fb::Dense(16, "relu"), fb::Dense(1, "sigmoid")},
                       {.name = "two_moons"});
  const absl::Status compiled = model.Compile({.optimizer = "adam:learning_rate=0.01",
                                               .loss = "binary_crossentropy",
                                               .metrics = {"accuracy", "precision", "recall"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build, {.id = "two_moons", .doc = "Which of two crescents a point is of: 2 - 16 - 16 - 1, sigmoid."});

namespace {

// Points on two half circles, one above and one below, with noise; label 1 is the lower one.
fb::Data Moons(int64_t rows, uint32_t seed) {
  fb::Data data{fb::Tensor(fb::DType::kF32, {rows, 2}), fb::Tensor(fb::DType::kI32, {rows})};
  const auto x = data.x.mutable_values<float>();
  const auto y = data.y.mutable_values<int32_t>();
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> angle(0, std::numbers::pi);
  std::normal_distribution<double> noise(0, 0.15);
  for (size_t i = 0; i < size_t(rows); ++i) {
    const double a = angle(random);
    y[i] = int32_t(i % 2);
    x[2 * i] = float((y[i] == 0 ? std::cos(a) : 1 - std::cos(a)) + noise(random));
    x[2 * i + 1] = float((y[i] == 0 ? std::sin(a) : 0.5 - std::sin(a)) + noise(random));
  }
  return data;
}

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<fb::Sequential> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const fb::Data train = Moons(1000, 1), test = Moons(1000, 2);
  const absl::StatusOr<fb::History> history = model->Fit(train.x, train.y, {.epochs = epochs, .validation_split = 0.2});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(test.x, test.y);
  if (!result.ok()) return result.status();
  std::printf("test: accuracy %.4f, precision %.4f, recall %.4f, loss %.4f\n", (*result)["accuracy"],
              (*result)["precision"], (*result)["recall"], (*result)["loss"]);
  return model->Save("two_moons.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 30, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
