// SPDX-License-Identifier: Apache-2.0
// Regression with outputs that their activations keep within a range, whatever the weights:
//     x [N, 2] --dense, tanh--> [N, 32] --dense, tanh--> h [N, 32]
//     h --dense, softplus--> energy [N, 1]   above 0
//     h --dense, sigmoid-->  share  [N, 1]   from 0 to 1
//     h --dense, tanh-->     slope  [N, 1]   from -1 to 1
//
// This source is a program, which trains the network:   build/release/bin/bounded_outputs [EPOCHS [SEED]]
// and a model for the fusebox command:                  build/release/bin/fusebox summary bounded_outputs
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

absl::StatusOr<fb::Model> Build() {
  const fb::SymbolicTensor x = fb::Input({2}, {.name = "x"});
  const fb::SymbolicTensor hidden = fb::Dense(32, "tanh")(x);
  const fb::SymbolicTensor h = fb::Dense(32, "tanh")(hidden);
  fb::Model model(x,
                  {fb::Dense(1, "softplus", {.name = "energy"})(h), fb::Dense(1, "sigmoid", {.name = "share"})(h),
                   fb::Dense(1, "tanh", {.name = "slope"})(h)},
                  {.name = "bounded_outputs"});
  const absl::Status compiled =
      model.Compile({.optimizer = "adam:learning_rate=0.01",
                     .loss = "mean_squared_error",
                     .metrics = {{"energy", {"mae"}}, {"share", {"mae"}}, {"slope", {"mae"}}}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(
    Build, {.id = "bounded_outputs",
            .doc = "Regression of a positive number, a share and a slope: 2 - 32 - 32, softplus, sigmoid and tanh."});

namespace {

struct Samples {
  fb::Tensor x;
  fb::Arrays y;
};

// Three functions of the plane, each within the range of its output.
Samples Draw(int64_t rows, uint32_t seed) {
  fb::Tensor x(fb::DType::kF32, {rows, 2});
  fb::Tensor energy(fb::DType::kF32, {rows, 1}), share(fb::DType::kF32, {rows, 1}), slope(fb::DType::kF32, {rows, 1});
  const auto points = x.mutable_values<float>();
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> side(-1.5, 1.5);
  for (size_t i = 0; i < size_t(rows); ++i) {
    const float a = points[2 * i] = side(random), b = points[2 * i + 1] = side(random);
    energy.mutable_values<float>()[i] = a * a + b * b;
    share.mutable_values<float>()[i] = std::exp(-a * a);
    slope.mutable_values<float>()[i] = std::sin(2 * a) * std::cos(b);
  }
  return {x, {{"energy", energy}, {"share", share}, {"slope", slope}}};
}

// The minimum and maximum of a prediction.
void PrintRange(const fb::Arrays& predicted, const char* output) {
  const auto values = predicted[output].values<float>();
  const auto [least, greatest] = std::ranges::minmax(values);
  std::printf("%s: from %.4f to %.4f\n", output, least, greatest);
}

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<fb::Model> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const Samples train = Draw(2000, 1), test = Draw(1000, 2);
  const absl::StatusOr<fb::History> history = model->Fit(train.x, train.y, {.epochs = epochs, .validation_split = 0.2});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(test.x, test.y);
  if (!result.ok()) return result.status();
  std::printf("test: energy_mae %.4f, share_mae %.4f, slope_mae %.4f, loss %.4f\n", (*result)["energy_mae"],
              (*result)["share_mae"], (*result)["slope_mae"], (*result)["loss"]);
  // Far outside the training data, too.
  fb::Tensor far(fb::DType::kF32, {100, 2});
  for (size_t i = 0; i < 200; ++i) far.mutable_values<float>()[i] = 20 * std::sin(float(i));
  const absl::StatusOr<fb::Arrays> predicted = model->Predict(far);
  if (!predicted.ok()) return predicted.status();
  for (const char* output : {"energy", "share", "slope"}) PrintRange(*predicted, output);
  return model->Save("bounded_outputs.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 30, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
