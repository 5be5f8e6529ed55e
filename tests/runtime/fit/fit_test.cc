// SPDX-License-Identifier: Apache-2.0
// Training of models.
#include <cmath>
#include <cstring>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> AllWeights(Sequential& model) {
  std::vector<float> all;
  const auto weights = *model.GetWeights();
  for (const Tensor& w : weights) all.insert(all.end(), w.values<float>().begin(), w.values<float>().end());
  return all;
}

// Points in the plane, and a label for the quadrant of each (0 or 1 as in XOR).
Data Quarters(int64_t rows) {
  Data data{Tensor(DType::kF32, {rows, 2}), Tensor(DType::kI32, {rows})};
  for (int64_t i = 0; i < rows; ++i) {
    const float a = float((i * 37) % 101) / 50 - 1, b = float((i * 53) % 103) / 51 - 1;
    data.x.mutable_values<float>()[size_t(2 * i)] = a;
    data.x.mutable_values<float>()[size_t(2 * i + 1)] = b;
    data.y.mutable_values<int32_t>()[size_t(i)] = (a > 0) != (b > 0);
  }
  return data;
}

Sequential Classifier(int64_t seed = 1) {
  Sequential model({Dense(16, "tanh", {.input_shape = {2}}), Dense(2, "softmax")}, {.seed = seed});
  EXPECT_TRUE(model
                  .Compile({.optimizer = "sgd:learning_rate=0.5",
                            .loss = "sparse_categorical_crossentropy",
                            .metrics = {"accuracy"}})
                  .ok());
  return model;
}

TEST(Fit, LearnsXor) {
  const Data data = Quarters(500);
  Sequential model = Classifier();
  const absl::StatusOr<History> history = model.Fit(data.x, data.y, {.epochs = 60, .verbose = 0});
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->epoch.size(), 60u);
  EXPECT_LT((*history)["loss"].back(), 0.3 * (*history)["loss"].front());
  EXPECT_GT((*history)["accuracy"].back(), 0.95);
  const absl::StatusOr<Logs> logs = model.Evaluate(data.x, data.y);
  ASSERT_TRUE(logs.ok()) << logs.status();
  EXPECT_GT((*logs)["accuracy"], 0.95);
}

// y = 2 a - 3 b + 1 with its exact gradient: compares two steps of gradient descent with a calculation by hand.
TEST(Fit, DoesTheStepsOfGradientDescent) {
  const float x[] = {1, 0, 0, 1, 1, 1};
  const float y[] = {3, -2, 0};
  Sequential model({Dense(1, {.input_shape = {2}})});
  ASSERT_TRUE(model.Compile({.optimizer = "sgd:learning_rate=0.1", .loss = "mean_squared_error"}).ok());
  ASSERT_TRUE(model.SetWeights({Tensor(DType::kF32, {2, 1}), Tensor(DType::kF32, {1})}).ok());
  const absl::StatusOr<History> history =
      model.Fit(Tensor::Borrow(DType::kF32, {3, 2}, x), Tensor::Borrow(DType::kF32, {3, 1}, y),
                {.epochs = 2, .shuffle = false, .verbose = 0});
  ASSERT_TRUE(history.ok()) << history.status();
  double w[2] = {0, 0}, b = 0;
  std::vector<double> losses;
  for (int epoch = 0; epoch < 2; ++epoch) {
    double dw[2] = {0, 0}, db = 0, loss = 0;
    for (int i = 0; i < 3; ++i) {
      const double e = w[0] * x[2 * i] + w[1] * x[2 * i + 1] + b - y[i];
      loss += e * e / 3;
      dw[0] += 2 * e * x[2 * i] / 3, dw[1] += 2 * e * x[2 * i + 1] / 3, db += 2 * e / 3;
    }
    w[0] -= 0.1 * dw[0], w[1] -= 0.1 * dw[1], b -= 0.1 * db;
    losses.push_back(loss);
  }
  EXPECT_NEAR((*history)["loss"][0], losses[0], 1e-5);
  EXPECT_NEAR((*history)["loss"][1], losses[1], 1e-5);
  const std::vector<float> weights = AllWeights(model);
  EXPECT_NEAR(weights[0], w[0], 1e-6);
  EXPECT_NEAR(weights[1], w[1], 1e-6);
  EXPECT_NEAR(weights[2], b, 1e-6);
}

TEST(Fit, SameSeedGivesTheSameBitsForAnyThreads) {
  const Data data = Quarters(330);  // The last batch has 10 rows.
  std::vector<std::vector<float>> weights;
  for (const int64_t threads : {1, 2, 3, 4, 7, 8, 16, 1}) {
    Sequential model = Classifier(7);
    ASSERT_TRUE(model.Fit(data.x, data.y, {.epochs = 3, .threads = threads, .verbose = 0}).ok());
    weights.push_back(AllWeights(model));
  }
  for (const auto& other : weights) EXPECT_EQ(std::memcmp(other.data(), weights[0].data(), 4 * other.size()), 0);
  Sequential model = Classifier(7);
  ASSERT_TRUE(model.Fit(data.x, data.y, {.epochs = 3, .seed = 8, .verbose = 0}).ok());
  EXPECT_NE(AllWeights(model), weights[0]);
}

TEST(Fit, ValidationSplitTakesTheLastSamples) {
  Data data = Quarters(100);
  // The last fifth has labels that cannot be learned: their loss shows where they went.
  for (size_t i = 80; i < 100; ++i) data.y.mutable_values<int32_t>()[i] ^= 1;
  Sequential split = Classifier(), apart = Classifier();
  const auto a = split.Fit(data.x, data.y, {.epochs = 2, .validation_split = 0.2, .verbose = 0});
  const auto b =
      apart.Fit(data.x.Rows(0, 80), data.y.Rows(0, 80),
                {.epochs = 2, .validation_data = {{data.x.Rows(80, 100), data.y.Rows(80, 100)}}, .verbose = 0});
  ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
  EXPECT_EQ(a->values, b->values);
  std::vector<std::string> names;
  for (const auto& [name, values] : a->values) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("accuracy", "loss", "val_accuracy", "val_loss"));
  EXPECT_EQ((*apart.Evaluate(data.x.Rows(80, 100), data.y.Rows(80, 100)))["loss"], (*b)["val_loss"][1]);
}

TEST(Fit, RunsAWholeEpochACall) {
  const Data data = Quarters(330);
  Sequential model = Classifier();
  const absl::StatusOr<History> history =
      model.Fit(data.x, data.y, {.epochs = 4, .callbacks = {"history"}, .verbose = 0});
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->calls, 4);
  EXPECT_EQ(history->steps, 4 * 11);
}

TEST(Fit, GoesOnWhereItStopped) {
  const Data data = Quarters(64);
  Sequential once = Classifier(), twice = Classifier();
  ASSERT_TRUE(once.Fit(data.x, data.y, {.epochs = 4, .verbose = 0}).ok());
  ASSERT_TRUE(twice.Fit(data.x, data.y, {.epochs = 2, .verbose = 0}).ok());
  ASSERT_TRUE(twice.Fit(data.x, data.y, {.epochs = 4, .initial_epoch = 2, .verbose = 0}).ok());
  EXPECT_EQ(AllWeights(once), AllWeights(twice));
}

TEST(Fit, NanIsNoError) {
  Data data = Quarters(64);
  data.x.mutable_values<float>()[0] = std::nanf("");
  Sequential model = Classifier();
  const absl::StatusOr<History> history = model.Fit(data.x, data.y, {.verbose = 0});
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_TRUE(std::isnan((*history)["loss"][0]));
}

TEST(Fit, TakesFewerSamplesThanABatch) {
  const Data data = Quarters(5);
  Sequential model = Classifier();
  EXPECT_TRUE(model.Fit(data.x, data.y, {.epochs = 2, .verbose = 0}).ok());
}

TEST(Fit, ConvertsTheDtypeOfTheData) {
  const Data data = Quarters(64);
  Sequential a = Classifier(), b = Classifier();
  ASSERT_TRUE(a.Fit(data.x, data.y, {.verbose = 0}).ok());
  ASSERT_TRUE(b.Fit(data.x.Cast(DType::kF64), data.y.Cast(DType::kU8), {.verbose = 0}).ok());
  EXPECT_EQ(AllWeights(a), AllWeights(b));
}

// For any dtype of the data, the model computes the same as for f32, to the bit.
TEST(Fit, TakesPixelsAsTheyAre) {
  constexpr int64_t kSamples = 70;
  Tensor pixels(DType::kU8, {kSamples, 4, 3}), labels(DType::kU8, {kSamples});
  for (int64_t i = 0; i < kSamples; ++i) {
    labels.mutable_values<uint8_t>()[size_t(i)] = uint8_t(i % 3);
    for (int64_t j = 0; j < 12; ++j) {
      pixels.mutable_values<uint8_t>()[size_t(i * 12 + j)] =
          uint8_t(j % 3 == i % 3 ? 255 - i : (i * 37 + j * 11) % 200);
    }
  }
  const auto make = [] {
    Sequential model({Rescaling(1.0 / 255, {.input_shape = {4, 3}}), Flatten(), Dense(8, "relu"), Dense(3, "softmax")},
                     {.seed = 1});
    EXPECT_TRUE(model
                    .Compile({.optimizer = "sgd:learning_rate=0.1",
                              .loss = "sparse_categorical_crossentropy",
                              .metrics = {"accuracy"}})
                    .ok());
    return model;
  };
  std::vector<float> weights;
  for (const DType dtype : {DType::kF32, DType::kU8, DType::kI32, DType::kI64, DType::kF64}) {
    SCOPED_TRACE(Name(dtype));
    const Tensor x = pixels.Cast(dtype), y = labels.Cast(dtype);
    Sequential model = make();
    const auto history = model.Fit(x, y, {.epochs = 3, .validation_data = {{x, y}}, .threads = 2, .verbose = 0});
    ASSERT_TRUE(history.ok()) << history.status();
    const absl::StatusOr<Logs> evaluated = model.Evaluate(x, y);
    ASSERT_TRUE(evaluated.ok()) << evaluated.status();
    const absl::StatusOr<Tensor> predicted = model.Predict(x), of_f32 = model.Predict(pixels.Cast(DType::kF32));
    ASSERT_TRUE(predicted.ok() && of_f32.ok()) << predicted.status() << of_f32.status();
    EXPECT_TRUE(std::ranges::equal(predicted->values<float>(), of_f32->values<float>()));
    if (weights.empty()) weights = AllWeights(model);
    EXPECT_EQ(AllWeights(model), weights);
    EXPECT_EQ((*evaluated)["loss"], (*history)["val_loss"].back());
    EXPECT_LT((*history)["loss"].back(), (*history)["loss"].front());
  }
  labels.mutable_values<uint8_t>()[5] = 3;
  EXPECT_THAT(std::string(make().Fit(pixels, labels, {.verbose = 0}).status().message()),
              HasSubstr("y of sample 5 is 3, expected a class from 0 to 2"));
}

TEST(Fit, MomentumIsRemembered) {
  const Data data = Quarters(64);
  Sequential model({Dense(2, "softmax", {.input_shape = {2}})}, {.seed = 1});
  const CompileArgs settings = {.optimizer = "sgd:momentum=0.9", .loss = "sparse_categorical_crossentropy"};
  ASSERT_TRUE(model.Compile(settings).ok());
  const auto history = model.Fit(data.x, data.y, {.epochs = 5, .verbose = 0});
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_LT((*history)["loss"][4], (*history)["loss"][0]);
}

TEST(Predict, GivesTheSameForAnyNumberOfSamples) {
  const Data data = Quarters(3000);
  Sequential model = Classifier();
  const absl::StatusOr<Tensor> all = model.Predict(data.x);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(all->shape(), ElementsAre(3000, 2));
  for (const int64_t rows : {1, 7, 1024, 1025}) {
    const absl::StatusOr<Tensor> some = model.Predict(data.x.Rows(0, rows), {.threads = 2});
    ASSERT_TRUE(some.ok()) << some.status();
    EXPECT_TRUE(std::ranges::equal(some->values<float>(), all->Rows(0, rows).values<float>())) << rows;
  }
  EXPECT_EQ(model.Predict(data.x.Rows(0, 0))->size(), 0);
  for (int64_t i = 0; i < 3000; ++i) {
    const std::span<const float> p = all->values<float>();
    EXPECT_NEAR(p[size_t(2 * i)] + p[size_t(2 * i + 1)], 1, 1e-5);
  }
  EXPECT_THAT(std::string(model.Predict(Tensor(DType::kF32, {4, 3})).status().message()),
              HasSubstr("layer 'dense' expects x of shape [N,2], got [4,3]"));
}

// Weights this large are kept packed between calls: no program may continue with the old ones.
TEST(Predict, SeesWeightsThatWereSetOrTrained) {
  constexpr int64_t kWidth = 70;
  const auto make = [] {
    Sequential model({Dense(kWidth, "relu", {.input_shape = {kWidth}}), Dense(kWidth)}, {.seed = 3});
    EXPECT_TRUE(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}).ok());
    return model;
  };
  Tensor x(DType::kF32, {10, kWidth});
  for (size_t i = 0; i < x.values<float>().size(); ++i) x.mutable_values<float>()[i] = float(i % 17) / 17;
  const auto predict = [&x](Sequential& model) {
    const absl::StatusOr<Tensor> y = model.Predict(x);
    EXPECT_TRUE(y.ok()) << y.status();
    return std::vector<float>(y->values<float>().begin(), y->values<float>().end());
  };
  Sequential model = make();
  const std::vector<float> first = predict(model);
  EXPECT_EQ(predict(model), first);
  ASSERT_TRUE(model.Fit(x, x, {.epochs = 2, .verbose = 0}).ok());
  const std::vector<float> trained = predict(model);
  EXPECT_NE(trained, first);
  Sequential fresh = make();
  ASSERT_TRUE(fresh.SetWeights(*model.GetWeights()).ok());
  EXPECT_EQ(predict(fresh), trained);
  ASSERT_TRUE(model.SetWeights(*make().GetWeights()).ok());
  EXPECT_EQ(predict(model), first);
  // Training continues from the weights that were set, not from those that were packed.
  ASSERT_TRUE(model.Fit(x, x, {.epochs = 2, .verbose = 0}).ok());
  EXPECT_EQ(predict(model), trained);
}

TEST(ModelFile, BringsBackWeightsSettingsAndOptimizer) {
  const Data data = Quarters(64);
  Sequential model({Dense(8, "tanh", {.input_shape = {2}}), Dense(2, "softmax")}, {.seed = 3});
  ASSERT_TRUE(
      model
          .Compile(
              {.optimizer = "sgd:momentum=0.9", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}})
          .ok());
  ASSERT_TRUE(model.Fit(data.x, data.y, {.epochs = 2, .verbose = 0}).ok());
  const std::string path = ::testing::TempDir() + "fit_test.keras";
  ASSERT_TRUE(model.Save(path).ok());
  absl::StatusOr<Sequential> again = LoadModel(path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(AllWeights(*again), AllWeights(model));
  EXPECT_EQ(again->config().compile, model.config().compile);
  // Trained further, both stay equal: momentum and step were restored.
  const FitArgs more = {.epochs = 4, .seed = 4, .initial_epoch = 2, .verbose = 0};
  ASSERT_TRUE(model.Fit(data.x, data.y, more).ok());
  ASSERT_TRUE(again->Fit(data.x, data.y, more).ok());
  EXPECT_EQ(AllWeights(*again), AllWeights(model));
}

TEST(ModelFile, ErrorsNameTheFile) {
  EXPECT_THAT(std::string(LoadModel("/nowhere/model.keras").status().message()), HasSubstr("/nowhere/model.keras"));
}

}  // namespace
}  // namespace fusebox
