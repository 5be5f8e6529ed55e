// SPDX-License-Identifier: Apache-2.0
// Trainings with each loss, and evaluations with each metric, of compiled programs, against the numbers that Keras arrived
// at: tests/data/keras_losses, made by tests/python/make_keras_losses.py. And what weights of samples do.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "fusebox/runtime/formats/npz.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

// Of the greatest number of its kind, after 20 steps.
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
  EXPECT_EQ(trained, 34);
}

// A model that says what it is given, so that its predictions are Keras's.
TEST(KerasLosses, MetricsOfCompiledProgramsAreKerass) {
  const std::map<std::string, Tensor> arrays = Arrays("metrics.npz");
  std::map<std::string, std::vector<std::string>> by_kind;  // The words of metrics, weighted ones too.
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
        const auto log = std::ranges::find(logs, "m" + std::to_string(i), &LogValue::name);
        ASSERT_NE(log, logs.end());
        const double expected = Numbers(arrays.at(all[i] + "|" + kind)).back();
        EXPECT_NEAR(log->value, expected, 1e-5 * std::abs(expected) + 2e-6) << all[i] << "|" << kind;
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 250);
}

Sequential Compiled(const std::string& loss, std::vector<ItemArg> metrics = {}, const std::string& last = "softmax") {
  Sequential model({Dense(3, last, {.input_shape = {2}})}, {.seed = 3});
  EXPECT_OK(model.Compile({.optimizer = "sgd", .loss = loss, .metrics = std::move(metrics)}));
  return model;
}

TEST(KerasLosses, LogUnderTheNamesGiven) {
  Sequential model({Dense(3, "softmax", {.input_shape = {2}})}, {.seed = 3});
  ASSERT_OK(model.Compile({.optimizer = "sgd",
                           .loss = "mse",
                           .metrics = {"mse", "MAE", "acc", "auc:name=area"},
                           .weighted_metrics = {"mse", "mean_absolute_error"}}));
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(Tensor(DType::kF32, {4, 2}), Tensor(DType::kF32, {4, 3})));
  std::vector<std::string> names;
  for (const LogValue& log : logs) names.push_back(log.name);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("loss", "mse", "MAE", "acc", "area", "weighted_mse",
                                                     "mean_absolute_error"));
}

// As in Keras, validation data have weights of their own.
TEST(KerasLosses, ValidationDataMayHaveWeights) {
  Tensor x(DType::kF32, {4, 2}), y(DType::kF32, {4, 3}), none(DType::kF32, {4}), column(DType::kI32, {4, 1});
  for (size_t i = 0; i < 4; ++i) column.mutable_values<int32_t>()[i] = int32_t(i == 0);
  x.mutable_values<float>()[0] = 1;
  Sequential model = Compiled("mse");
  const auto validated = [&](const Tensor& weights) {
    const auto history = model.Fit(x, y, {.validation_data = Data{x, y, weights}, .verbose = 0});
    EXPECT_OK(history);
    return history.ok() ? (*history)["val_loss"].back() : -1;
  };
  EXPECT_GT(validated({}), 0);
  EXPECT_EQ(validated(none), 0);
  const auto one = model.Evaluate(x.Rows(0, 1), y.Rows(0, 1));
  ASSERT_OK(one);
  ASSERT_OK_AND_ASSIGN(const Logs weighed, model.Evaluate(x, y, {.sample_weight = column}));
  EXPECT_NEAR(weighed[0].value, (*one)[0].value / 4, 1e-7);
  // What is split off takes its weights along.
  EXPECT_OK(model.Fit(x, y, {.sample_weight = column, .validation_split = 0.5, .verbose = 0}));
}

TEST(KerasLosses, SayWhatIsWrongWithData) {
  const Tensor x(DType::kF32, {4, 2});
  const auto error = [&](const std::string& loss, const Tensor& y, FitArgs args = {}) {
    Sequential model = Compiled(loss);
    args.verbose = 0;
    return std::string(model.Fit(x, y, args).status().message());
  };
  Tensor labels(DType::kF32, {4}), one_hot(DType::kF32, {4, 3});
  EXPECT_THAT(error("categorical_crossentropy", labels),
              HasSubstr("expects one-hot targets like f32[N,3], got f32[N]: for classes by their numbers use "
                        "sparse_categorical_crossentropy"));
  one_hot.mutable_values<float>()[1] = 0.5f;
  EXPECT_THAT(error("sparse_categorical_crossentropy", one_hot),
              HasSubstr("got i32[N,3]: for one-hot targets use categorical_crossentropy"));
  labels.mutable_values<float>()[2] = std::nanf("");
  EXPECT_EQ(error("sparse_categorical_crossentropy", labels),
            "sparse_categorical_crossentropy: y of sample 2 is nan, expected a class from 0 to 2");
  EXPECT_EQ(error("crossentropy", labels), "crossentropy: y of sample 2 is nan, expected a class from 0 to 2");
  EXPECT_EQ(error("categorical_generalized_cross_entropy", labels),
            "categorical_generalized_cross_entropy: y of sample 2 is nan, expected a class from 0 to 2");
  labels.mutable_values<float>()[2] = 255;
  EXPECT_EQ(error("sparse_categorical_crossentropy:ignore_class=255", labels), "");
  EXPECT_THAT(error("sparse_categorical_crossentropy:ignore_class=7", labels), HasSubstr("y of sample 2 is 255"));
  EXPECT_EQ(error("mse", one_hot, {.sample_weight = Tensor(DType::kF32, {3})}),
            "sample_weight: expected one number for each of 4 samples, got [3]");
  EXPECT_EQ(error("mse", one_hot, {.sample_weight = Tensor(DType::kF32, {4}), .class_weight = {{0, 2}}}),
            "sample_weight and class_weight are both given");
  EXPECT_EQ(error("mse", one_hot, {.validation_data = Data{x, one_hot, Tensor(DType::kF32, {4, 2})}}),
            "validation data: sample_weight: expected one number for each of 4 samples, got [4,2]");
  Sequential model({Dense(3, {.input_shape = {2}})});
  EXPECT_THAT(std::string(model.Compile({.optimizer = "sgd", .loss = "mse:reduction=none"}).message()),
              HasSubstr("expects reduction sum_over_batch_size, mean, sum or mean_with_sample_weight, got 'none'"));
  EXPECT_EQ(std::string(model.Compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mae", "mae"}}).message()),
            "metric 'mae' is given twice");
  EXPECT_EQ(std::string(model.Compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mae:name=a/b"}}).message()),
            "metric 'a/b': a metric's name may have no '/'");
}

}  // namespace
}  // namespace fusebox::testing
