// SPDX-License-Identifier: Apache-2.0
// A model's loss, metrics and sample weights: names in logs, and errors.
#include <cmath>
#include <string>
#include <vector>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

Sequential Compiled(const std::string& loss, std::vector<ItemArg> metrics = {}, const std::string& last = "softmax") {
  Sequential model({Dense(3, last, {.input_shape = {2}})}, {.seed = 3});
  EXPECT_OK(model.Compile({.optimizer = "sgd", .loss = loss, .metrics = std::move(metrics)}));
  return model;
}

TEST(LossesAndMetrics, LogUnderTheNamesGiven) {
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
TEST(LossesAndMetrics, ValidationDataMayHaveWeights) {
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
  // The split-off samples keep their weights.
  EXPECT_OK(model.Fit(x, y, {.sample_weight = column, .validation_split = 0.5, .verbose = 0}));
}

TEST(LossesAndMetrics, SayWhatIsWrongWithData) {
  const Tensor x(DType::kF32, {4, 2});
  const auto error = [&](const std::string& loss, const Tensor& y, FitArgs args = {}) {
    Sequential model = Compiled(loss);
    args.verbose = 0;
    return std::string(model.Fit(x, y, args).status().message());
  };
  Tensor labels(DType::kF32, {4}), one_hot(DType::kF32, {4, 3});
  EXPECT_THAT(error("categorical_crossentropy", labels),
              HasSubstr("expects one-hot targets like f32[N,3], got f32[N]: for class indices use "
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
