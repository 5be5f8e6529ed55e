// SPDX-License-Identifier: Apache-2.0
// Whole training runs compared with Keras's numbers: tests/data/keras_training, made by
// tests/python/make_keras_training.py.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

// Both compute in f32 and differ only in the order of sums. No sum here has more than 32 terms, so a step adds an error
// below 32 * 2^-24 = 2e-6 of the sum; 20 steps down a smooth slope hardly enlarge it. (Measured: 5e-7.) A wrong formula
// shows at 1e-3: the last partial batch weighted as a whole one, say, or momentum applied after the step.
constexpr double kBound = 1e-5;

class KerasTraining : public ::testing::TestWithParam<int> {  // The number of threads.
 protected:
  void Load(const std::string& name) {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                         ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_training/" + name));
    for (const NamedTensor& array : arrays) arrays_[array.name] = array.value;
  }
  const Tensor& Array(const std::string& name) const { return arrays_.at(name); }
  std::vector<double> Numbers(const std::string& name) const {
    const Tensor numbers = Array(name).Cast(DType::kF64);
    return {numbers.values<double>().begin(), numbers.values<double>().end()};
  }
  // "before" or "after" the training.
  std::vector<Tensor> Weights(const std::string& when) const {
    std::vector<Tensor> weights;
    for (const auto& [name, value] : arrays_) {
      if (name.starts_with(when)) weights.push_back(value);
    }
    return weights;
  }
  absl::StatusOr<History> Fit(Sequential& model, int64_t rows, int64_t epochs, int64_t batch_size) const {
    return model.Fit(
        Array("x").Rows(0, rows), Array("y").Rows(0, rows),
        {.epochs = epochs, .batch_size = batch_size, .shuffle = false, .threads = GetParam(), .verbose = 0});
  }
  // Checks the model after training: its weights, predictions, loss and metrics.
  void ExpectTrained(Sequential& model, int64_t batch_size) const {
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    const std::vector<Tensor> expected = Weights("after");
    ASSERT_EQ(weights.size(), expected.size());
    for (size_t i = 0; i < weights.size(); ++i) ExpectNear(weights[i], expected[i], fmt::format("weight {}", i));
    ASSERT_OK_AND_ASSIGN(const Tensor prediction, model.Predict(Array("x"), {.threads = GetParam()}));
    ExpectNear(prediction, Array("prediction"), "prediction");
    ASSERT_OK_AND_ASSIGN(const Logs logs,
                         model.Evaluate(Array("x"), Array("y"), {.batch_size = batch_size, .threads = GetParam()}));
    for (const LogValue& log : logs) EXPECT_NEAR(log.value, Numbers("final_" + log.name)[0], kBound) << log.name;
  }
  void TrainRegression(const std::string& optimizer,
                       Sequential model = Sequential({Dense(9, "tanh", {.input_shape = {6}}), Dense(5, "sigmoid"),
                                                      Dense(2)}),
                       std::vector<ItemArg> metrics = {}) {
    ASSERT_OK(model.Compile({.optimizer = optimizer, .loss = "mean_squared_error", .metrics = metrics}));
    ASSERT_OK(model.SetWeights(Weights("before")));
    ASSERT_OK_AND_ASSIGN(const History history, Fit(model, Array("x").rows(), 5, 16));
    EXPECT_EQ(history.steps, 20);
    EXPECT_EQ(history.values.size(), metrics.size() + 1);
    for (const auto& [name, values] : history.values) {
      // Keras on JAX loses masks between the loss and the metrics in training, unlike on other backends, and unlike in
      // evaluation, which is compared below.
      if (name != "loss") continue;
      const std::vector<double> expected = Numbers("epoch_" + name);
      ASSERT_EQ(values.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(values[i], expected[i], kBound * std::max(1.0, expected[i])) << name << ", epoch " << i;
      }
    }
    ExpectTrained(model, 16);
  }

  static void ExpectNear(const Tensor& actual, const Tensor& expected, const std::string& what) {
    ASSERT_EQ(actual.shape(), expected.shape()) << what;
    EXPECT_EQ(actual.dtype(), expected.dtype()) << what;
    const Tensor found = actual.Cast(DType::kF64), wanted = expected.Cast(DType::kF64);
    double worst = 0;
    for (size_t i = 0; i < size_t(expected.size()); ++i) {
      const double e = wanted.values<double>()[i];
      const double difference = std::abs(found.values<double>()[i] - e) / std::max(1.0, std::abs(e));
      worst = difference <= worst ? worst : difference;  // A NaN stays.
    }
    EXPECT_LE(worst, kBound) << what;
  }

 private:
  std::map<std::string, Tensor> arrays_;
};

TEST_P(KerasTraining, ClassesStepByStep) {
  Load("classes.npz");
  if (HasFatalFailure()) return;
  Sequential model({Flatten({.input_shape = {4, 3}}), Dense(16, "relu"), Dense(8, "relu"), Dense(4, "softmax")});
  ASSERT_OK(model.Compile(
      {.optimizer = "sgd:learning_rate=0.1", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
  const int64_t rows = Array("x").rows();
  const std::vector<double> loss = Numbers("step_loss"), accuracy = Numbers("step_accuracy");
  ASSERT_EQ(loss.size(), 20u);
  // After each step, Keras reports the mean over the epoch so far: that equals a whole epoch on as many samples.
  for (size_t steps = 1; steps <= loss.size(); ++steps) {
    ASSERT_OK(model.SetWeights(Weights("before")));
    ASSERT_OK_AND_ASSIGN(const History history, Fit(model, std::min(rows, int64_t(steps) * 8), 1, 8));
    EXPECT_EQ(history.steps, int64_t(steps));
    EXPECT_NEAR(history["loss"][0], loss[steps - 1], kBound) << "after step " << steps;
    EXPECT_NEAR(history["accuracy"][0], accuracy[steps - 1], 1e-6) << "after step " << steps;
  }
  ExpectTrained(model, 8);
}

TEST_P(KerasTraining, Momentum) {
  Load("momentum.npz");
  if (!HasFatalFailure()) TrainRegression("sgd:learning_rate=0.05,momentum=0.9");
}

TEST_P(KerasTraining, NesterovMomentum) {
  Load("nesterov.npz");
  if (!HasFatalFailure()) TrainRegression("sgd:learning_rate=0.05,momentum=0.9,nesterov=true");
}

// Moving statistics and their momentum; the partial last batch has its own statistics.
TEST_P(KerasTraining, Normalized) {
  Load("normalized.npz");
  if (HasFatalFailure()) return;
  TrainRegression("sgd:learning_rate=0.05,momentum=0.9",
                  Sequential({Dense(9, {.input_shape = {6}}), BatchNormalization({.momentum = 0.9}), Activation("gelu"),
                              Dense(5, "elu"), Layer("layer_normalization"), Layer("prelu"), Dense(2)}));
}

TEST_P(KerasTraining, Penalised) {
  Load("penalised.npz");
  if (HasFatalFailure()) return;
  TrainRegression(
      "sgd:learning_rate=0.05,momentum=0.9",
      Sequential({Dense(9, {.input_shape = {6}}),
                  BatchNormalization({.momentum = 0.9, .gamma_regularizer = "l2", .beta_constraint = "non_neg"}),
                  Activation("gelu"), Dense(5, "elu"),
                  LayerNormalization({.beta_regularizer = "l2:l2=0.3", .gamma_constraint = "max_norm:max_value=1.5"}),
                  PReLU({.alpha_regularizer = "l2:l2=0.1", .alpha_constraint = "non_neg"}), Dense(2)}));
}

// Padded steps count neither in the loss nor in the metric. One sample has only padding.
TEST_P(KerasTraining, Embedded) {
  Load("embedded.npz");
  if (HasFatalFailure()) return;
  TrainRegression("sgd:learning_rate=0.05,momentum=0.9",
                  Sequential({Embedding(10, 4, {.mask_zero = true, .input_shape = {5}}), Dense(6, "tanh"),
                              TimeDistributed(Dense(3, "elu")), Dense(2)}),
                  {"mean_absolute_error"});
}

// The same with a model for each step.
TEST_P(KerasTraining, Stepped) {
  Load("stepped.npz");
  if (HasFatalFailure()) return;
  TrainRegression(
      "sgd:learning_rate=0.05,momentum=0.9",
      Sequential({Embedding(10, 4, {.mask_zero = true, .input_shape = {5}}),
                  TimeDistributed(Sequential({Dense(5, "tanh"), Dense(3, "elu")})), Dense(6, "tanh"), Dense(2)}),
      {"mean_absolute_error"});
}

// Nor in the statistics of a batch.
TEST_P(KerasTraining, Masked) {
  Load("masked.npz");
  if (HasFatalFailure()) return;
  TrainRegression("sgd:learning_rate=0.05,momentum=0.9",
                  Sequential({Masking(0, {.input_shape = {5, 4}}), BatchNormalization({.momentum = 0.9}),
                              Dense(6, "tanh"), ActivityRegularization({.l1 = 0.01, .l2 = 0.02}), Dense(2)}),
                  {"mean_absolute_error"});
}

// Adapt computes what Keras computed, and the model trains alike.
TEST_P(KerasTraining, Adapted) {
  Load("adapted.npz");
  if (HasFatalFailure()) return;
  auto norm = Normalization({.name = "norm"});
  ASSERT_OK(norm.Adapt(Array("x")));
  Sequential model({norm, Dense(5, "tanh", {.input_shape = {}}), Dense(2)});
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}));
  ASSERT_OK(model.Predict(Array("x")));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> found, model.GetLayerWeights("norm"));
  const std::vector<Tensor> before = Weights("before");
  ASSERT_EQ(found.size(), 3u);  // Mean, variance, count.
  for (size_t i = 0; i < 2; ++i) ExpectNear(found[i], before[i], fmt::format("statistic {}", i));
  EXPECT_EQ(found[2].dtype(), DType::kI32);
  TrainRegression("sgd:learning_rate=0.02,momentum=0.9", std::move(model));
}

TEST_P(KerasTraining, Ranges) {
  Load("ranges.npz");
  if (HasFatalFailure()) return;
  auto ranges = Discretization(4, {.output_mode = "one_hot", .input_shape = {6}});
  ASSERT_OK(ranges.Adapt(Array("x")));
  const std::string* const boundaries = TextAttribute(ranges.config().item, "bin_boundaries");
  ASSERT_NE(boundaries, nullptr);
  EXPECT_EQ(*boundaries, NumbersText(Numbers("boundaries")));
  TrainRegression("sgd:learning_rate=0.02,momentum=0.9", Sequential({ranges, Flatten(), Dense(2)}));
}

INSTANTIATE_TEST_SUITE_P(Threads, KerasTraining, ::testing::Values(1, 2), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace fusebox::testing
