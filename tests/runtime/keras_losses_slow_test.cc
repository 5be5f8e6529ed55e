// SPDX-License-Identifier: Apache-2.0
// Training with each loss, and evaluation with each metric, of compiled programs, compared with Keras's numbers:
// tests/data/keras_losses, made by tests/python/make_keras_losses.py.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

// Relative to the largest number of its kind, after 20 steps.
constexpr double kBound = 2e-4;

std::map<std::string, Tensor> Arrays(const std::string& file) {
  std::map<std::string, Tensor> arrays;
  const auto read = ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_losses/" + file);
  EXPECT_OK(read);
  if (!read.ok()) return arrays;
  for (const NamedTensor& array : *read) arrays[array.name] = array.value;
  return arrays;
}

std::vector<double> Numbers(const Tensor& tensor) {
  const Tensor wide = tensor.Cast(DType::kF64);
  return {wide.values<double>().begin(), wide.values<double>().end()};
}

void ExpectNear(const std::vector<double>& got, const std::vector<double>& expected, double bound,
                const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  double greatest = 0, worst = 0;
  for (const double v : expected) greatest = std::max(greatest, std::abs(v));
  for (size_t i = 0; i < got.size(); ++i) {
    const double off = std::abs(got[i] - expected[i]);
    worst = off <= worst ? worst : off;  // A NaN stays.
  }
  EXPECT_LE(worst, bound * greatest) << what;
}

TEST(KerasLosses, TrainAlike) {
  const std::map<std::string, Tensor> arrays = Arrays("trainings.npz");
  std::vector<Tensor> before;
  for (int i = 0; i < 4; ++i) before.push_back(arrays.at("before " + std::to_string(i)));
  int trained = 0;
  for (const auto& [name, losses] : arrays) {
    if (!name.ends_with(" loss")) continue;
    ++trained;
    const std::string what = name.substr(0, name.size() - 5);
    const std::vector<std::string> parts = absl::StrSplit(what, '|');
    FitArgs how = {.epochs = 5, .batch_size = 16, .shuffle = false, .verbose = 0};
    if (what.ends_with("|sample")) how.sample_weight = arrays.at("sample weights");
    if (what.ends_with("|class")) how.class_weight = {{0, 0.5}, {3, 2.5}};
    Sequential model({Dense(7, "tanh", {.input_shape = {6}}), Dense(5, parts.at(2))});
    ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0.05", .loss = parts[0]})) << what;
    ASSERT_OK(model.SetWeights(before));
    ASSERT_OK_AND_ASSIGN(const History history, model.Fit(arrays.at("x"), arrays.at(parts[1] + " y"), how));
    EXPECT_EQ(history.steps, 20);
    ExpectNear(history["loss"], Numbers(losses), kBound, what + ": losses");
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    for (size_t i = 0; i < 4; ++i) {
      ExpectNear(Numbers(weights[i]), Numbers(arrays.at(what + " " + std::to_string(i))), kBound,
                 what + ": weight " + std::to_string(i));
    }
  }
  EXPECT_EQ(trained, 35);
}

// A model that returns its input, so that its predictions are Keras's.
TEST(KerasLosses, MetricsOfCompiledProgramsAreKerass) {
  const std::map<std::string, Tensor> arrays = Arrays("metrics.npz");
  std::map<std::string, std::vector<std::string>> by_kind;  // The texts of metrics, including weighted ones.
  for (const auto& [name, value] : arrays) {
    const size_t bar = name.find('|');
    if (bar != std::string::npos) by_kind[name.substr(bar + 1)].push_back(name.substr(0, bar));
  }
  int compared = 0;
  for (const auto& [kind, all] : by_kind) {
    const Tensor &y = arrays.at(kind + " true"), &x = arrays.at(kind + " pred");
    if (x.rank() < 2) continue;
    const bool classes = y.rank() < x.rank() && x.shape().back() > 1;
    CompileArgs args = {.optimizer = "sgd", .loss = classes ? "sparse_categorical_crossentropy" : "mean_squared_error"};
    for (size_t i = 0; i < all.size(); ++i) {
      const bool weighted = all[i].starts_with("weighted ");
      const std::string words = all[i].substr(weighted ? 9 : 0);
      const char separator = words.find(':') == std::string::npos ? ':' : ',';
      (weighted ? args.weighted_metrics : args.metrics)
          .list.push_back(words + separator + "name=m" + std::to_string(i));
    }
    Sequential model({Layer("identity", {}, {.input_shape = {x.shape().begin() + 1, x.shape().end()}})});
    ASSERT_OK(model.Compile(args)) << kind;
    for (const bool with_weights : {false, true}) {
      EvaluateArgs how = {.batch_size = 7};
      if (with_weights) how.sample_weight = arrays.at("weights");
      ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, how));
      for (size_t i = 0; i < all.size(); ++i) {
        const bool weighted = all[i].starts_with("weighted ");
        if (weighted && !with_weights) continue;
        // The results after each batch; of a metric of several numbers, all of them.
        const Tensor& results = arrays.at(all[i] + "|" + kind);
        const std::vector<double> numbers = Numbers(results);
        const size_t count = results.rank() > 1 ? size_t(results.shape()[1]) : 1;
        for (size_t j = 0; j < count; ++j) {
          const std::string name =
              "m" + std::to_string(i) + (results.rank() > 1 ? "_" + std::to_string(j) : std::string());
          const auto log = std::ranges::find(logs, name, &LogValue::name);
          ASSERT_NE(log, logs.end()) << all[i] << "|" << kind;
          const double expected = numbers[numbers.size() - count + j];
          EXPECT_NEAR(log->value, expected, 1e-5 * std::abs(expected) + 2e-6) << name << " " << all[i] << "|" << kind;
        }
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 250);
}

}  // namespace
}  // namespace fusebox::testing
