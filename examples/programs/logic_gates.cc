// SPDX-License-Identifier: Apache-2.0
// One threshold unit learns the gates AND and OR. It cannot learn XOR, and the program reports that.
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10; Minsky, Papert
// (1969), Perceptrons.
//
//   build/release/bin/logic_gates
#include <cstdio>
#include <vector>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

namespace {

absl::Status Learn(const char* gate, const std::vector<int32_t>& truth) {
  const std::vector<float> corners = {0, 0, 0, 1, 1, 0, 1, 1};
  const fb::Tensor x({4, 2}, std::span<const float>(corners)), y({4}, std::span<const int32_t>(truth));
  fb::Perceptron perceptron({.max_iter = 100, .seed = 42});
  const absl::StatusOr<fb::PerceptronFit> fit = perceptron.Fit(x, y, /*verbose=*/0);
  if (!fit.ok()) return fit.status();
  const absl::StatusOr<double> score = perceptron.Score(x, y);
  if (!score.ok()) return score.status();
  std::printf("%s: %s; %.0f %% are right\n", gate, fit->Text(4).c_str(), 100 * *score);
  return absl::OkStatus();
}

}  // namespace

int main() {
  for (const absl::Status& status :
       {Learn("AND", {0, 0, 0, 1}), Learn("OR", {0, 1, 1, 1}), Learn("XOR", {0, 1, 1, 0})}) {
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
