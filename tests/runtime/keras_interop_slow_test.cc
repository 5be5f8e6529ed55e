// SPDX-License-Identifier: Apache-2.0
// .keras files exchanged with the real Keras, in both directions. tools/test.sh makes the Python environment with Keras
// and names it in FUSEBOX_PYTHON. Without it these tests fail instead of being skipped, as a skipped test would go
// unnoticed.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/files/subprocess.h"
#include "fusebox/runtime/keras/keras_file.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/runtime/functional_models.h"
#include "tests/runtime/keras_subclass.h"
#include "tests/runtime/numbers.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

constexpr double kTolerance = 1e-5;  // For f32: predictions and mean losses are of the order of 1.

class KerasInterop : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* python = std::getenv("FUSEBOX_PYTHON")) python_ = python;
    if (python_.empty()) python_ = FUSEBOX_SOURCE_DIR "/build/python/bin/python";
    ASSERT_TRUE(std::filesystem::exists(python_))
        << python_ << " is missing: run tools/test.sh, which makes a Python with Keras (or set FUSEBOX_PYTHON to one)";
  }

  // Runs a script of tests/python, which must succeed.
  void Python(const std::string& script, const std::vector<std::string>& words) {
    std::vector<std::string> command = {"env", "KERAS_BACKEND=jax", "JAX_PLATFORMS=cpu", python_,
                                        FUSEBOX_SOURCE_DIR "/tests/python/" + script};
    command.insert(command.end(), words.begin(), words.end());
    ASSERT_OK_AND_ASSIGN(const ProcessResult result, RunProcess(command, "", {.time = std::chrono::minutes(5)}));
    ASSERT_EQ(result.exit_code, 0) << script << ": " << result.output << result.errors;
  }
  // Continues the training of a model with keras_train_on.py.
  void TrainOnInKeras(const std::string& model, const Data& data) {
    ASSERT_OK(WriteNpz(folder_ / "data.npz", {{"x", data.x}, {"y", data.y}}));
    Python("keras_train_on.py", {model, folder_ / "data.npz", folder_ / "out.npz"});
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays, ReadNpz(folder_ / "out.npz"));
    for (const NamedTensor& array : arrays) keras_[array.name] = array.value;
  }
  double KerasNumber(const std::string& name) { return keras_.at(name).Cast(DType::kF64).values<double>()[0]; }

  // Checks that a model evaluates, predicts and continues training as in Keras: see TrainOnInKeras.
  void ExpectTheSameOfOurs(Sequential& model, const Data& data) {
    ASSERT_OK_AND_ASSIGN(const Tensor prediction, model.Predict(data.x));
    ExpectNear(prediction, keras_.at("prediction"), "prediction");
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(data.x, data.y));
    EXPECT_EQ(logs.size(), 2u);
    for (const LogValue& log : logs) EXPECT_NEAR(log.value, KerasNumber(log.name), kTolerance) << log.name;
    ASSERT_OK_AND_ASSIGN(const History history, model.Fit(data.x, data.y, {.shuffle = false, .verbose = 0}));
    EXPECT_NEAR(history["loss"][0], KerasNumber("epoch_loss"), kTolerance);
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
    ASSERT_EQ(weights.size(), 6u);
    for (size_t i = 0; i < weights.size(); ++i) {
      const std::string name = "weight_0" + std::to_string(i);
      ExpectNear(weights[i], keras_.at(name), name);
    }
    // Its step count continued from the file's.
    ASSERT_OK(model.Save(folder_ / "again.keras"));
    ASSERT_OK_AND_ASSIGN(const KerasFile file, ReadKeras(folder_ / "again.keras"));
    ASSERT_GE(file.optimizer_vars.size(), 1u);
    EXPECT_EQ(double(file.optimizer_vars[0].values<int64_t>()[0]), KerasNumber("iterations"));
  }

  // A model after 11 steps: Keras opens it, predicts the same, and training continues alike in both.
  void GoesToKerasAndOn(Sequential& model, const Data& data) {
    ASSERT_OK(model.Save(folder_ / "ours.keras"));
    ASSERT_OK_AND_ASSIGN(const Tensor prediction, model.Predict(data.x));
    ASSERT_OK(WriteNpy(folder_ / "x.npy", data.x));
    ASSERT_OK(WriteNpy(folder_ / "y.npy", prediction));
    Python("check_keras_file.py", {folder_ / "ours.keras", folder_ / "x.npy", folder_ / "y.npy", "--iterations", "11"});
    if (HasFatalFailure()) return;
    TrainOnInKeras(folder_ / "ours.keras", data);
    if (HasFatalFailure()) return;
    ExpectTheSameOfOurs(model, data);
  }

  static void ExpectNear(const Tensor& actual, const Tensor& expected, const std::string& what) {
    ASSERT_EQ(actual.shape(), expected.shape()) << what;
    double worst = 0;
    for (size_t i = 0; i < size_t(expected.size()); ++i) {
      const double e = expected.values<float>()[i];
      const double difference = std::abs(actual.values<float>()[i] - e) / std::max(1.0, std::abs(e));
      worst = difference <= worst ? worst : difference;  // A NaN stays.
    }
    EXPECT_LE(worst, kTolerance) << what;
  }

  TempFolder folder_;

 private:
  std::string python_;
  std::map<std::string, Tensor> keras_;
};

// Bright rows identify the class; the rest is noise.
Data Pictures(int64_t rows) {
  Data data{Tensor(DType::kF32, {rows, 28, 28}), Tensor(DType::kI32, {rows})};
  uint32_t state = 5;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t label = i * 7 % 10;
    data.y.mutable_values<int32_t>()[size_t(i)] = int32_t(label);
    for (int64_t j = 0; j < 784; ++j) {
      state = state * 1664525u + 1013904223u;
      const float noise = 0.7f * float(state >> 8) / float(1 << 24);
      data.x.mutable_values<float>()[size_t(i * 784 + j)] = noise + (j / 28 / 2 == label + 2 ? 0.3f : 0.0f);
    }
  }
  return data;
}

Sequential Classifier() {
  return Sequential({Flatten({.input_shape = {28, 28}}), Dense(300, "relu"), Dense(100, "relu"), Dense(10, "softmax")},
                    {.name = "fashion_mnist_mlp", .seed = 42});
}

TEST_F(KerasInterop, KerasOpensOursAndTrainsOn) {
  const Data data = Pictures(330);
  for (const std::string optimizer :
       {"sgd", "sgd:learning_rate=0.02,momentum=0.9", "adam:amsgrad=true,clipnorm=1",
        "loss_scale_optimizer:inner_optimizer='adam:learning_rate=0.002,clipnorm=1',dynamic_growth_steps=4",
        "rmsprop:momentum=0.5,centered=true,use_ema=true,ema_overwrite_frequency=5,"
        "learning_rate='cosine_decay:initial_learning_rate=0.001,decay_steps=30,warmup_target=0.002,warmup_steps=5'"}) {
    SCOPED_TRACE(optimizer);
    Sequential model = Classifier();
    ASSERT_OK(
        model.Compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
    ASSERT_OK(model.Fit(data.x, data.y, {.verbose = 0}));
    GoesToKerasAndOn(model, data);
    if (HasFatalFailure()) return;
  }
}

TEST_F(KerasInterop, WeOpenKerassAndTrainOn) {
  const Data data = Pictures(330);
  for (const std::string optimizer : {"sgd", "momentum", "adam", "loss_scale"}) {
    SCOPED_TRACE(optimizer);
    Python("make_keras_model.py", {folder_ / "", "keras", "--epochs", "1", "--optimizer", optimizer});
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(Sequential model, LoadModel(folder_ / "keras.keras"));
    EXPECT_EQ(model.CountParams(), 266'610);
    // Keras's predictions before it saved the file.
    ASSERT_OK_AND_ASSIGN(const Tensor x, ReadNpy(folder_ / "keras_x.npy"));
    ASSERT_OK_AND_ASSIGN(const Tensor y, ReadNpy(folder_ / "keras_y.npy"));
    ASSERT_OK_AND_ASSIGN(const Tensor prediction, model.Predict(x));
    ExpectNear(prediction, y, "prediction");
    TrainOnInKeras(folder_ / "keras.keras", data);
    if (HasFatalFailure()) return;
    ExpectTheSameOfOurs(model, data);
  }
}

// Pixels of u8, which a Rescaling layer maps to [0, 1]: in both directions.
TEST_F(KerasInterop, RescalesPixelsAsKerasDoes) {
  Data data = Pictures(330);
  for (float& value : data.x.mutable_values<float>()) value = std::floor(255 * value);
  data.x = data.x.Cast(DType::kU8);
  Sequential ours({Rescaling(1.0 / 255, {.input_shape = {28, 28}}), Flatten(), Dense(300, "relu"), Dense(100, "relu"),
                   Dense(10, "softmax")},
                  {.name = "pixels", .seed = 42});
  ASSERT_OK(ours.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}));
  ASSERT_OK(ours.Fit(data.x, data.y, {.verbose = 0}));
  GoesToKerasAndOn(ours, data);
  if (HasFatalFailure()) return;

  Python("make_keras_model.py", {folder_ / "", "keras", "--epochs", "1", "--pixels"});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(Sequential theirs, LoadModel(folder_ / "keras.keras"));
  ASSERT_OK_AND_ASSIGN(const Tensor x, ReadNpy(folder_ / "keras_x.npy"));
  EXPECT_EQ(x.dtype(), DType::kU8);
  ASSERT_OK_AND_ASSIGN(const Tensor expected, ReadNpy(folder_ / "keras_y.npy"));
  ASSERT_OK_AND_ASSIGN(const Tensor found, theirs.Predict(x));
  ExpectNear(found, expected, "prediction");
  TrainOnInKeras(folder_ / "keras.keras", data);
  if (HasFatalFailure()) return;
  ExpectTheSameOfOurs(theirs, data);
}

// A model with each activation and each layer: from Keras to us, and back.
TEST_F(KerasInterop, EveryActivationAndLayerGoesBothWays) {
  Python("make_keras_zoo.py", {"make", folder_ / ""});
  if (HasFatalFailure()) return;
  int64_t models = 0;
  for (const std::string& file : folder_.Names()) {
    if (!file.ends_with(".keras")) continue;
    const std::string name = file.substr(0, file.size() - 6);
    SCOPED_TRACE(name);
    ++models;
    ASSERT_OK_AND_ASSIGN(Sequential model, LoadModel(folder_ / file));
    ASSERT_OK_AND_ASSIGN(const Tensor x, ReadNpy(folder_ / (name + "_x.npy")));
    ASSERT_OK_AND_ASSIGN(const Tensor y, ReadNpy(folder_ / (name + "_y.npy")));
    ASSERT_OK_AND_ASSIGN(const Tensor prediction, model.Predict(x));
    ExpectNear(prediction, y, name);
    ASSERT_OK(model.Save(folder_ / (name + "_ours.keras")));
  }
  EXPECT_GE(models, 82);
  Python("make_keras_zoo.py", {"check", folder_ / ""});
}

// The weights of a class, under the names that Keras derives from its attributes' names.
TEST_F(KerasInterop, WeightsOfAClassGoBothWays) {
  Python("make_keras_subclass.py", {"make", folder_ / ""});
  if (HasFatalFailure()) return;
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays, ReadNpz(folder_ / "subclass.npz"));
  std::map<std::string, Tensor> keras;
  for (const NamedTensor& array : arrays) keras[array.name] = array.value;
  KerasWideAndDeepModel model;
  ASSERT_OK(model.Build({Input({5}), Input({6})}));
  ASSERT_OK(model.LoadWeights(folder_ / "subclass.weights.h5"));
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict({keras.at("x_wide"), keras.at("x_deep")}));
  for (const auto& [name, value] : predicted.named()) ExpectNear(value, keras.at("prediction_" + name), name);
  ASSERT_OK(model.SaveWeights(folder_ / "ours.weights.h5"));
  Python("make_keras_subclass.py", {"check", folder_ / "ours.weights.h5", folder_ / "subclass.npz"});
  if (HasFatalFailure()) return;

  // A class within a class, and lists of layers.
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> of_nested, ReadNpz(folder_ / "nested.npz"));
  for (const NamedTensor& array : of_nested) keras[array.name] = array.value;
  KerasNestedModel nested;
  ASSERT_OK(nested.Build({{4}}));
  ASSERT_OK(nested.LoadWeights(folder_ / "nested.weights.h5"));
  ASSERT_OK_AND_ASSIGN(const Arrays loaded, nested.Predict(keras.at("x")));
  ExpectNear(loaded[0], keras.at("prediction"), "prediction");
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, nested.GetWeights());
  for (size_t i = 0; i < weights.size(); ++i)
    ExpectNear(weights[i], keras.at(fmt::format("weight_{:02}", i)), "weight");
  ASSERT_OK(nested.SaveWeights(folder_ / "our_nested.weights.h5"));
  Python("make_keras_subclass.py", {"check", folder_ / "our_nested.weights.h5", folder_ / "nested.npz"});
}

// Functional models, with several inputs and outputs, and with inner models that are called twice: Keras opens ours,
// predicts and reports the same under the same names, and continues training as we do.
TEST_F(KerasInterop, KerasOpensOurFunctionalModelsAndTrainsOn) {
  for (const bool nested : {false, true}) {
    SCOPED_TRACE(nested);
    Model model = nested ? Nested() : TwoOutputs();
    ASSERT_OK(nested ? CompileNested(model) : CompileTwoOutputs(model));
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                         ReadNpz(std::string(FUSEBOX_SOURCE_DIR "/tests/data/keras_functional/") +
                                 (nested ? "nested.npz" : "two_outputs.npz")));
    std::vector<NamedTensor> x, y, told;
    for (const NamedTensor& array : arrays) {
      if (!array.name.starts_with("x_") && !array.name.starts_with("y_")) continue;
      (array.name[0] == 'x' ? x : y).push_back({array.name.substr(2), array.value});
      told.push_back(array);
    }
    const FitArgs once{.batch_size = 16, .shuffle = false, .verbose = 0};
    ASSERT_OK(model.Fit(x, y, once));
    ASSERT_OK(model.Save(folder_ / "ours.keras"));
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(x));
    for (const NamedTensor& output : predicted.named()) told.push_back({"prediction_" + output.name, output.value});
    const auto tell = [&](const std::string& name, double value) {
      told.push_back({name, Tensor({}, std::span<const double>(&value, 1))});
    };
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, {.batch_size = 16}));
    for (const LogValue& log : logs) tell("final_" + log.name, log.value);
    ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, once));
    for (const auto& [name, values] : history.values) tell("epoch_" + name, values[0]);
    ASSERT_OK(WriteNpz(folder_ / "told.npz", told));
    Python("make_keras_functional.py", {"check", folder_ / "ours.keras", folder_ / "told.npz"});
    if (HasFatalFailure()) return;
  }
}

// Keras has no form for a layer that two inner models share: it opens our file with two layers of the same weights.
TEST_F(KerasInterop, KerasOpensOurModelWhoseInnerModelsShareALayer) {
  const Layer shared = Dense(3, "tanh", {.name = "shared"});
  const SymbolicTensor a = Input({4}, {.name = "a"}), b = Input({4}, {.name = "b"});
  const Model first(a, Dense(2, {.name = "last"})(shared(a)), {.name = "first"});
  const Model second(b, Dense(2, {.name = "last"})(shared(b)), {.name = "second"});
  const SymbolicTensor x1 = Input({4}, {.name = "x1"}), x2 = Input({4}, {.name = "x2"});
  Model model({x1, x2}, Add({.name = "sum"})({first(x1), second(x2)}), {.seed = 1});
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}));
  const Tensor left = Numbers({20, 4}), right = Numbers({20, 4}), y = Numbers({20, 2});
  ASSERT_OK(model.Fit({left, right}, y, {.verbose = 0}));
  ASSERT_OK(model.Save(folder_ / "shared.keras"));
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict({left, right}));
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate({left, right}, y, {.batch_size = 16}));
  const double loss = logs[0].value;
  ASSERT_OK(WriteNpz(folder_ / "told.npz", {{"x_x1", left},
                                            {"x_x2", right},
                                            {"y_sum", y},
                                            {"prediction_sum", predicted[0]},
                                            {"final_loss", Tensor({}, std::span<const double>(&loss, 1))}}));
  Python("make_keras_functional.py", {"check", folder_ / "shared.keras", folder_ / "told.npz"});
}

// Models compiled with each loss and with each metric: from Keras to us, and back. Both evaluate alike.
TEST_F(KerasInterop, EveryLossAndMetricGoesBothWays) {
  Python("make_keras_compiled.py", {"make", folder_ / ""});
  if (HasFatalFailure()) return;
  int64_t models = 0, logs_compared = 0;
  for (const std::string& file : folder_.Names()) {
    if (!file.ends_with(".keras")) continue;
    const std::string name = file.substr(0, file.size() - 6);
    SCOPED_TRACE(name);
    ++models;
    ASSERT_OK_AND_ASSIGN(Sequential model, LoadModel(folder_ / file));
    std::map<std::string, Tensor> arrays;
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> read, ReadNpz(folder_ / (name + ".npz")));
    for (const NamedTensor& array : read) arrays[array.name] = array.value;
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(arrays.at("x"), arrays.at("y"), {.batch_size = 7}));
    const int64_t before = logs_compared;
    for (const auto& [key, array] : arrays) {
      if (!key.starts_with("log ")) continue;
      const Tensor expected = array.Cast(DType::kF64);
      for (size_t i = 0; i < size_t(expected.size()); ++i) {
        // A metric of several numbers is logged element by element.
        const std::string log = key.substr(4) + (expected.rank() > 0 ? "_" + std::to_string(i) : "");
        const auto found = std::ranges::find(logs, log, &LogValue::name);
        ASSERT_NE(found, logs.end()) << log;
        const double value = expected.values<double>()[i];
        EXPECT_NEAR(found->value, value, kTolerance * std::max(1.0, std::abs(value))) << log;
        ++logs_compared;
      }
    }
    EXPECT_EQ(int64_t(logs.size()), logs_compared - before);
    ASSERT_OK(model.Save(folder_ / (name + "_ours.keras")));
  }
  EXPECT_GE(models, 50);
  EXPECT_GE(logs_compared, 140);
  Python("make_keras_compiled.py", {"check", folder_ / ""});
}

// Saves a model with the layer of examples/plugins/gated_dense; here without its plugin.
TEST_F(KerasInterop, KerasOpensAThirdPartyLayerWithCustomObjects) {
  constexpr int64_t kRows = 5, kInputs = 3, kUnits = 2;
  uint32_t state = 9;
  const auto random = [&state](std::vector<int64_t> shape) {
    Tensor tensor(DType::kF32, std::move(shape));
    for (float& value : tensor.mutable_values<float>()) {
      state = state * 1664525u + 1013904223u;
      value = float(state >> 8) / float(1 << 23) - 1;
    }
    return tensor;
  };
  const Tensor w = random({kInputs, kUnits}), b = random({kUnits}), v = random({kInputs, kUnits}), c = random({kUnits});
  const Tensor x = random({kRows, kInputs});
  Tensor y(DType::kF32, {kRows, kUnits});
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < kUnits; ++j) {
      double content = b.values<float>()[size_t(j)], gate = c.values<float>()[size_t(j)];
      for (int64_t k = 0; k < kInputs; ++k) {
        const double x_ik = x.values<float>()[size_t(i * kInputs + k)];
        content += x_ik * w.values<float>()[size_t(k * kUnits + j)];
        gate += x_ik * v.values<float>()[size_t(k * kUnits + j)];
      }
      y.mutable_values<float>()[size_t(i * kUnits + j)] = float(content / (1 + std::exp(-gate)));
    }
  }
  const ModelConfig config = {
      .name = "gated",
      .inputs = {{.name = "x", .shape = {kInputs}}},
      .layers = {{.item = {"acme/gated_dense@1", {{"units", kUnits}}}, .name = "gated_dense"}},
      .compile = {},
  };
  ASSERT_OK(
      WriteKeras(folder_ / "gated.keras", {.config = config,
                                           .layers = {{"gated_dense", "GatedDense", {w, b, v, c}}},
                                           .optimizer_vars = {},
                                           .fusebox_metadata = R"({"expansions": {"acme/gated_dense@1": "..."}})"}));
  ASSERT_OK(WriteNpy(folder_ / "x.npy", x));
  ASSERT_OK(WriteNpy(folder_ / "y.npy", y));
  Python("check_third_party_layer.py", {folder_ / "gated.keras", folder_ / "x.npy", folder_ / "y.npy"});
}

}  // namespace
}  // namespace fusebox::testing
