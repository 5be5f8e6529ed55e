// SPDX-License-Identifier: Apache-2.0
// Multilabel classification: which of three regions of the plane a point lies in. Regions overlap, so a point may be in
// none, some or all of them. Each label is a separate question: there is one unit with a sigmoid per label.
//     x [N, 2] --dense, relu--> [N, 32] --dense, relu--> [N, 32] --dense, sigmoid--> y [N, 3]
// binary_crossentropy averages over the labels.
//
// This source is a program, which trains the network:   build/release/bin/three_regions [EPOCHS [SEED]]
// and a model for the fusebox command:                  build/release/bin/fusebox summary three_regions
#include <cstdio>
#include <cstdlib>
#include <random>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Sequential> Build() {
  fb::Sequential model({fb::Input({2}), fb::Dense(32, "relu"), fb::Dense(32, "relu"), fb::Dense(3, "sigmoid")},
                       {.name = "three_regions"});
  const absl::Status compiled = model.Compile({.optimizer = "adam:learning_rate=0.01",
                                               .loss = "binary_crossentropy",
                                               .metrics = {"binary_accuracy", "f1_score:average=macro,threshold=0.5"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build, {.id = "three_regions", .doc = "Which of three regions a point is in: 2 - 32 - 32 - 3, sigmoid."});

namespace {

// Points of a square, labeled by whether each lies within a circle, above a diagonal, and right of the middle.
fb::Data Points(int64_t rows, uint32_t seed) {
  fb::Data data{fb::Tensor(fb::DType::kF32, {rows, 2}), fb::Tensor(fb::DType::kF32, {rows, 3})};
  const auto x = data.x.mutable_values<float>(), y = data.y.mutable_values<float>();
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> side(-1, 1);
  for (size_t i = 0; i < size_t(rows); ++i) {
    const float a = x[2 * i] = side(random), b = x[2 * i + 1] = side(random);
    y[3 * i] = float(a * a + b * b < 0.5f);
    y[3 * i + 1] = float(b > a);
    y[3 * i + 2] = float(a > 0);
  }
  return data;
}

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<fb::Sequential> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const fb::Data train = Points(1500, 1), test = Points(1500, 2);
  const absl::StatusOr<fb::History> history = model->Fit(train.x, train.y, {.epochs = epochs, .validation_split = 0.2});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(test.x, test.y);
  if (!result.ok()) return result.status();
  std::printf("test: binary_accuracy %.4f, f1_score %.4f, loss %.4f\n", (*result)["binary_accuracy"],
              (*result)["f1_score"], (*result)["loss"]);
  return model->Save("three_regions.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 30, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
