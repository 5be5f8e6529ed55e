// SPDX-License-Identifier: Apache-2.0
// Models that are C++ classes, lambdas as layers, losses and metrics, and additions by AddLoss and AddMetric: values,
// names, files and errors.
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "fusebox/graph/ops.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/runtime/keras_subclass.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WideAndDeepModel final : public Model {
 public:
  explicit WideAndDeepModel(ModelOptions options = {}) : Model(std::move(options)) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    const SymbolicTensor h = hidden2_(hidden1_(inputs[1]));
    return {main_(Concatenate()({inputs[0], h})), aux_(h)};
  }

 private:
  Layer hidden1_ = Dense(8, "relu", {.name = "hidden1"}), hidden2_ = Dense(7, "relu", {.name = "hidden2"});
  Layer main_ = Dense(1, {.name = "main_output"}), aux_ = Dense(1, {.name = "aux_output"});
};

Tensor Numbers(int64_t rows, int64_t columns) {
  Tensor x(DType::kF32, {rows, columns});
  for (int64_t i = 0; i < rows * columns; ++i) x.mutable_values<float>()[size_t(i)] = float(std::sin(double(i) * 1.7));
  return x;
}

CompileArgs TwoLosses() {
  return {.optimizer = "sgd:learning_rate=0.05,momentum=0.9",
          .loss = {"mean_squared_error", "mean_absolute_error"},
          .loss_weights = {0.9, 0.1}};
}

TEST(Subclass, IsTracedByItsFirstData) {
  WideAndDeepModel model({.seed = 3});
  EXPECT_EQ(model.config().name, "wide_and_deep_model");
  EXPECT_THAT(std::string(model.GetWeights().status().message()),
              HasSubstr("model 'wide_and_deep_model': its inputs' shapes are not known: call Build"));
  ASSERT_OK(model.Compile(TwoLosses()));
  const Tensor a = Numbers(40, 5), b = Numbers(40, 6), y = Numbers(40, 1);
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit({a, b}, {y, y}, {.validation_split = 0.2, .verbose = 0}));
  std::vector<std::string> keys;
  for (const auto& [key, values] : history.values) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("loss", "output_1_loss", "output_2_loss", "val_loss", "val_output_1_loss",
                                "val_output_2_loss"));
  // Weights in the order of the members.
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  ASSERT_EQ(weights.size(), 8u);
  EXPECT_THAT(weights[0].shape(), ElementsAre(6, 8));
  EXPECT_THAT(weights[4].shape(), ElementsAre(12, 1));
  EXPECT_THAT(model.Summary(), HasSubstr("hidden1 (Dense)"));
  EXPECT_EQ(model.CountParams(), 56 + 63 + 13 + 8);
}

// The traced functional model trains alike, and can be saved.
TEST(Subclass, TracedTrainsAlike) {
  WideAndDeepModel model({.seed = 3});
  ASSERT_OK(model.Build({{5}, {6}}));
  ASSERT_OK(model.Compile(TwoLosses()));
  const Tensor a = Numbers(40, 5), b = Numbers(40, 6), y = Numbers(40, 1);
  const FitArgs once{.batch_size = 8, .shuffle = false, .verbose = 0};
  ASSERT_OK(model.Fit({a, b}, {y, y}, once));
  ASSERT_OK_AND_ASSIGN(Model traced, model.Traced());
  EXPECT_THAT(OutputNames(traced.config()), ElementsAre("main_output", "aux_output"));
  const TempFolder folder;
  EXPECT_THAT(
      std::string(model.Save(folder / "m.keras").message()),
      HasSubstr("model 'wide_and_deep_model' is the C++ class WideAndDeepModel, which no file can hold: save its "
                "weights by SaveWeights, or as a model of layers alone what Traced() gives"));
  ASSERT_OK(traced.Save(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "m.keras"));
  WideAndDeepModel alone({.seed = 3});
  ASSERT_OK(alone.Build({{5}, {6}}));
  ASSERT_OK(alone.Compile(TwoLosses()));
  ASSERT_OK(alone.Fit({a, b}, {y, y}, once));
  for (Model* each : {static_cast<Model*>(&alone), &traced, &opened}) ASSERT_OK(each->Fit({a, b}, {y, y}, once));
  ASSERT_OK_AND_ASSIGN(const Arrays p, alone.Predict({a, b}));
  // What was traced has the layers of the object, so that is trained, too.
  for (Model* each : {static_cast<Model*>(&model), &traced, &opened}) {
    ASSERT_OK_AND_ASSIGN(const Arrays q, each->Predict({a, b}));
    for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(std::ranges::equal(p[i].values<float>(), q[i].values<float>())) << i;
  }
  // The weights only, under the members' names.
  ASSERT_OK(model.SaveWeights(folder / "m.weights.h5"));
  WideAndDeepModel other({.seed = 4});
  ASSERT_OK(other.Build({{5}, {6}}));
  ASSERT_OK(other.LoadWeights(folder / "m.weights.h5"));
  ASSERT_OK_AND_ASSIGN(const Arrays q, other.Predict({a, b}));
  EXPECT_TRUE(std::ranges::equal(p[1].values<float>(), q[1].values<float>()));
}

// Keras's numbers: tests/data/keras_training/subclass.npz, made by tests/python/make_keras_subclass.py.
TEST(Subclass, TrainsAsKerasDoes) {
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                       ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_training/subclass.npz"));
  std::map<std::string, Tensor> keras;
  std::vector<Tensor> before, after;
  for (const auto& [name, value] : arrays) {
    keras[name] = value;
    if (name.starts_with("before_")) before.push_back(value);
    if (name.starts_with("after_")) after.push_back(value);
  }
  const Tensor &wide = keras["x_wide"], &deep = keras["x_deep"], &y = keras["y"];
  const int64_t rows = y.rows(), train = rows - 20;
  KerasWideAndDeepModel model;
  ASSERT_OK(model.Build({Input({5}), Input({6})}));
  ASSERT_OK(model.SetWeights(before));
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0.05,momentum=0.9",
                           .loss = {{"main_output", "mean_squared_error"}, {"aux_output", "mean_absolute_error"}},
                           .loss_weights = {{"main_output", 0.9}, {"aux_output", 0.1}},
                           .metrics = {{"main_output", {"mae"}}}}));
  const auto cut = [&](int64_t from, int64_t to) { return Arrays{wide.Rows(from, to), deep.Rows(from, to)}; };
  const Tensor valid = y.Rows(train, rows), shown = y.Rows(0, train);
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(cut(0, train), {shown, shown},
                                                        {.epochs = 3,
                                                         .batch_size = 16,
                                                         .validation_data = {{cut(train, rows), {valid, valid}}},
                                                         .shuffle = false,
                                                         .verbose = 0}));
  const auto expect_near = [](std::span<const float> got, const Tensor& expected, const std::string& what) {
    ASSERT_EQ(got.size(), size_t(expected.size())) << what;
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected.values<float>()[i], 2e-5) << what << " " << i;
  };
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  ASSERT_EQ(weights.size(), after.size());
  for (size_t i = 0; i < weights.size(); ++i) expect_near(weights[i].values<float>(), after[i], "weight");
  size_t keys = 0;
  for (const auto& [name, value] : keras) keys += name.starts_with("epoch_");
  EXPECT_EQ(history.values.size(), keys);
  for (const auto& [key, values] : history.values) {
    ASSERT_TRUE(keras.contains("epoch_" + key)) << key;
    const Tensor expected = keras["epoch_" + key].Cast(DType::kF32);
    expect_near(std::vector<float>(values.begin(), values.end()), expected, key);
  }
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict({wide, deep}));
  for (const auto& [name, value] : predicted.named())
    expect_near(value.values<float>(), keras["prediction_" + name], name);
}

// A loop over a dimension of the shape; other shapes are traced anew.
class Halving final : public Model {
 public:
  explicit Halving(ModelOptions options = {}) : Model(std::move(options)) {}
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    SymbolicTensor h = inputs[0];
    EXPECT_EQ(h.shape()[0], -1);
    EXPECT_EQ(h.dtype(), DType::kF32);
    while (h.dim(-1) > 1) {
      h = Lambda(
          [](Value x) { return 0.5 * Slice(x, 1, 0, x.dim(1) / 2) + 0.5 * Slice(x, 1, x.dim(1) / 2, x.dim(1)); })(h);
    }
    return scale_(h);
  }

 private:
  Layer scale_ = Dense(1);
};

TEST(Subclass, LoopsRunOnShapesAndWeightsStay) {
  Halving model;
  ASSERT_OK_AND_ASSIGN(const Arrays four, model.Predict(Numbers(3, 4)));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetWeights());
  const Tensor x = Numbers(3, 8);
  ASSERT_OK_AND_ASSIGN(const Arrays eight, model.Predict(x));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> same, model.GetWeights());
  EXPECT_EQ(weights[0].values<float>()[0], same[0].values<float>()[0]);
  const auto row = x.values<float>().subspan(0, 8);
  const float mean = std::accumulate(row.begin(), row.end(), 0.0f) / 8;
  EXPECT_NEAR(eight[0].values<float>()[0], mean * weights[0].values<float>()[0], 1e-6);
}

// Each run of Call makes new lambdas; they count as the same if they write the same symbols.
TEST(Subclass, LambdasWithinCallCanBeKept) {
  Halving model({.seed = 3});
  const Tensor x = Numbers(3, 4);
  ASSERT_OK_AND_ASSIGN(const Arrays expected, model.Predict(x));
  ASSERT_OK_AND_ASSIGN(Model traced, model.Traced());
  const TempFolder folder;
  ASSERT_OK(traced.Save(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, opened.Predict(x));
  EXPECT_TRUE(std::ranges::equal(predicted[0].values<float>(), expected[0].values<float>()));
  class Heeding final : public Model {
    CallOutputs Call(const SymbolicTensors& inputs, bool training) const override {
      return Lambda([training](Value v) { return training ? 2 * v : v; })(inputs[0]);
    }
  };
  Heeding heeding;
  ASSERT_OK(heeding.Build(Input({2})));
  EXPECT_THAT(std::string(heeding.Traced().status().message()), HasSubstr("computes something else in training"));
}

TEST(Subclass, SaysWhatIsWrong) {
  WideAndDeepModel model;
  EXPECT_THAT(std::string(model.Predict(Numbers(3, 5)).status().message()), HasSubstr("is made of an empty value"));
  ASSERT_OK(model.Build({{5}, {6}}));
  EXPECT_THAT(std::string(model.Predict({Numbers(3, 5), Numbers(3, 7)}).status().message()),
              HasSubstr("layer 'hidden1': its weight 'hidden1/kernel' is f32[6,8] since an earlier tracing, and now "
                        "needed as f32[7,8]"));
  EXPECT_OK(model.Predict({Numbers(3, 5), Numbers(3, 6)}));
  EXPECT_THAT(std::string(model.Compile({.optimizer = "sgdd", .loss = "mse"}).message()), HasSubstr("sgdd"));
  class Anew final : public Model {
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override { return Dense(3)(inputs[0]); }
  };
  EXPECT_THAT(
      std::string(Anew().Build(Input({2})).message()),
      HasSubstr("layer 'dense' has weights, but Call makes a new one each time: make it a member of the class"));
  class Nothing final : public Model {};
  EXPECT_THAT(std::string(Nothing().Build(Input({2})).message()), HasSubstr("its Call returned no value"));
}

TEST(Lambda, TrainsAndIsKeptInFiles) {
  const SymbolicTensor x = Input({3});
  Model model(x, Lambda([](Value a, Value b) { return a * b; })({Dense(2)(x), Dense(2, "tanh")(x)}), {.seed = 1});
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse"}));
  ASSERT_OK(model.Fit(Numbers(16, 3), Numbers(16, 2), {.verbose = 0}));
  ASSERT_OK(model.GetLayer("lambda"));
  const TempFolder folder;
  ASSERT_OK(model.Save(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(const Arrays p, model.Predict(Numbers(5, 3)));
  ASSERT_OK_AND_ASSIGN(const Arrays q, opened.Predict(Numbers(5, 3)));
  EXPECT_TRUE(std::ranges::equal(p[0].values<float>(), q[0].values<float>()));
  const Model wrong(x, Lambda([](Value a, Value b) { return a * b; })(Dense(2)(x)));
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("takes 2 inputs, got 1"));
}

TEST(Functions, AreLossesAndMetrics) {
  const auto mse = [](Value y_true, Value y_pred) { return Mean(Square(y_true - y_pred), {-1}); };
  Sequential ours({Dense(1, {.input_shape = {3}})}, {.seed = 1}), known({Dense(1, {.input_shape = {3}})}, {.seed = 1});
  ASSERT_OK(ours.Compile({.optimizer = "sgd", .loss = LossFn("mine", mse), .metrics = {MetricFn("my_metric", mse)}}));
  ASSERT_OK(known.Compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mse"}}));
  const FitArgs twice{.epochs = 2, .batch_size = 8, .shuffle = false, .verbose = 0};
  // Labels [N] are aligned with [N,1].
  const Tensor x = Numbers(20, 3), y = Numbers(1, 20).Reshape({20}).value();
  ASSERT_OK_AND_ASSIGN(const History a, ours.Fit(x, y, twice));
  ASSERT_OK_AND_ASSIGN(const History b, known.Fit(x, y, twice));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(a["loss"][i], b["loss"][i], 1e-6);
    EXPECT_NEAR(a["my_metric"][i], b["mse"][i], 1e-6);
  }
}

TEST(AddLoss, TrainsWithoutAnyOther) {
  const SymbolicTensor x = Input({3}), y = Dense(2)(x);
  Model model(x, y, {.seed = 1});
  const SymbolicTensor squares = Lambda([](Value v) { return Mean(Square(v), {0, 1}); })(y);
  model.AddLoss(squares);
  model.AddMetric(squares, "size");
  ASSERT_OK(model.Compile({.optimizer = "sgd:learning_rate=0.1"}));
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(Numbers(32, 3), Arrays(), {.epochs = 9, .verbose = 0}));
  EXPECT_LT(history["loss"].back(), history["loss"][0]);
  EXPECT_NEAR(history["loss"][0], history["size"][0], 1e-6);
  const TempFolder folder;
  EXPECT_THAT(std::string(model.Save(folder / "m.keras").message()), HasSubstr("what AddLoss or AddMetric has added"));
}

}  // namespace
}  // namespace fusebox::testing
