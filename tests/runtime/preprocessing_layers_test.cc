// SPDX-License-Identifier: Apache-2.0
// Layers that learn from data beforehand, and layers that take ids: the statistics that they compute, and messages for
// wrong data. tests/plugins/layers_test.cc and keras_training_test.cc compare their results and training with Keras.
#include "fusebox/runtime/preprocessing_layers.h"

#include <cmath>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return Tensor(std::move(shape), std::span<const float>(values));
}
std::vector<float> ValuesOf(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}
std::string Message(const absl::Status& status) { return std::string(status.message()); }

// Mean and variance of an adapted layer, as a model receives them.
std::vector<std::vector<float>> Statistics(NormalizationLayer norm, const Tensor& data) {
  EXPECT_OK(norm.Adapt(data));
  std::vector<std::vector<float>> all;
  for (const NamedTensor& weight : norm.weights()) all.push_back(ValuesOf(weight.value));
  return all;
}

TEST(Normalization, AdaptsToItsAxes) {
  const Tensor x = Floats({2, 2, 3}, {1, 2, 3, 4, 5, 6, 3, 2, 1, 8, 5, 2});
  EXPECT_THAT(Statistics(Normalization(), x), ElementsAre(ElementsAre(4, 3.5, 3), ElementsAre(6.5, 2.25, 3.5)));
  EXPECT_THAT(Statistics(Normalization({.axis = {1}}), x),
              ElementsAre(ElementsAre(2, 5), ElementsAre(4 / 6.0f, 20 / 6.0f)));
  EXPECT_THAT(Statistics(Normalization({.axis = {}}), x), ElementsAre(ElementsAre(3.5), ElementsAre(51 / 12.0f)));
  EXPECT_THAT(Statistics(Normalization({.axis = {1, 2}}), x),
              ElementsAre(ElementsAre(2, 2, 2, 6, 5, 4), ElementsAre(1, 0, 1, 4, 0, 4)));
}

// A mean that f32 cannot compute: of more than 2^24 ones and some more.
TEST(Normalization, SumsUpInDoublePrecision) {
  Tensor x(DType::kU8, {5000, 5000});
  std::ranges::fill(x.mutable_values<uint8_t>(), uint8_t{201});
  EXPECT_THAT(Statistics(Normalization({.axis = {}}), x), ElementsAre(ElementsAre(201), ElementsAre(0)));
}

TEST(Normalization, IsAdaptedBeforeAModelTakesIt) {
  const Tensor x = Floats({2, 2}, {1, 10, 3, 30});
  auto norm = Normalization({.name = "norm"});
  const std::vector<Layer> layers = {norm};  // A copy is the same layer.
  ASSERT_OK(norm.Adapt(x));
  Sequential model(layers, {});
  ASSERT_OK_AND_ASSIGN(const Tensor y, model.Predict(x));
  EXPECT_THAT(ValuesOf(y), ElementsAre(-1, -1, 1, 1));
  EXPECT_EQ(model.CountParams(), 5);
  EXPECT_THAT(Message(norm.Adapt(x)), HasSubstr("norm: Adapt it before a model takes it or it is called; later use the "
                                                "model's SetLayerWeights"));
  // In the model they are ordinary weights, and are saved.
  ASSERT_OK(model.SetLayerWeights("norm", {Floats({2}, {1, 1}), Floats({2}, {4, 9}), Tensor(DType::kI32, {})}));
  const TempFolder folder;
  ASSERT_OK(model.Save(folder / "norm.keras"));
  ASSERT_OK_AND_ASSIGN(Sequential again, LoadModel(folder / "norm.keras"));
  ASSERT_OK_AND_ASSIGN(const Tensor z, again.Predict(x));
  EXPECT_THAT(ValuesOf(z), ElementsAre(0, 3, 1, 29 / 3.0f));

  auto called = Normalization();
  const SymbolicTensor in = Input({2});
  const SymbolicTensor out = called(in);
  EXPECT_THAT(Message(called.Adapt(x)), HasSubstr("fusebox/normalization: Adapt it before a model takes it"));
}

TEST(Normalization, SaysWhatIsWrong) {
  const Tensor x = Floats({1, 2}, {1, 2});
  EXPECT_THAT(Message(Normalization().Adapt(Tensor(DType::kF32, {0, 2}))),
              HasSubstr("Normalization: Adapt expects samples [n, ...], got [0,2]"));
  EXPECT_THAT(Message(Normalization().Adapt(Tensor(DType::kF32, {}))), HasSubstr("got a scalar"));
  for (const int64_t axis : {-2, 0, 2}) {
    EXPECT_THAT(
        Message(Normalization({.axis = {axis}}).Adapt(x)),
        HasSubstr(fmt::format("Normalization: Adapt expects axes of samples, 1 to 1 or counted from the end, each "
                              "once, for data [1,2]; got {}",
                              axis)));
  }
  EXPECT_THAT(Message(Normalization({.mean = {0}, .variance = {1}}).Adapt(x)),
              HasSubstr("Normalization: mean and variance were given, so there is nothing to adapt"));
  auto norm = Normalization({.name = "norm"});
  ASSERT_OK(norm.Adapt(x));
  Sequential model({norm});
  EXPECT_THAT(Message(model.Predict(Floats({1, 3}, {1, 2, 3})).status()),
              HasSubstr("'norm/mean': expected the shape [3], got [2]"));
}

TEST(Discretization, SaysWhatIsWrong) {
  const Tensor x = Floats({2}, {1, 2});
  EXPECT_THAT(Message(Discretization(std::vector<double>{0, 1}).Adapt(x)),
              HasSubstr("Discretization: bin_boundaries were given, so there is nothing to adapt"));
  EXPECT_THAT(Message(Discretization(1).Adapt(x)),
              HasSubstr("Discretization: Adapt expects num_bins of 2 or more, got 1"));
  EXPECT_THAT(Message(Discretization(2).Adapt(Tensor(DType::kF32, {0}))), HasSubstr("expects data, got none"));
  EXPECT_THAT(Message(Discretization(2).Adapt(Floats({2}, {1, std::nanf("")}))), HasSubstr("expects numbers, got NaN"));
  EXPECT_THAT(Message(Discretization(2, {.epsilon = 0}).Adapt(x)), HasSubstr("epsilon: expected in (0, 1], got 0"));
  Sequential never({Discretization(2)});
  EXPECT_THAT(Message(never.Predict(Floats({1, 1}, {1})).status()),
              HasSubstr("expects bin_boundaries: give them, or num_bins and Adapt the layer to data"));
}

TEST(Discretization, MakesIntegers) {
  Sequential model({Discretization(std::vector<double>{0, 1})});
  ASSERT_OK_AND_ASSIGN(const Tensor y, model.Predict(Floats({1, 4}, {-1, 0, 0.5, 1})));
  EXPECT_EQ(y.dtype(), DType::kI32);
  EXPECT_THAT(std::vector<int32_t>(y.values<int32_t>().begin(), y.values<int32_t>().end()), ElementsAre(0, 1, 1, 2));
}

TEST(CategoryEncoding, AddsUpWeights) {
  const SymbolicTensor ids = Input({3}, {.name = "ids", .dtype = DType::kI32}),
                       weights = Input({3}, {.name = "weights"});
  Model model({ids, weights}, {CategoryEncoding(3, {.output_mode = "count"})({ids, weights})});
  Tensor numbers(DType::kI32, {1, 3});
  numbers.mutable_values<int32_t>()[0] = 2;
  ASSERT_OK_AND_ASSIGN(const Arrays y, model.Predict({numbers, Floats({1, 3}, {0.5, 2, 4})}));
  EXPECT_THAT(ValuesOf(y[0]), ElementsAre(6, 0, 0.5));
}

TEST(Embedding, BeginsWithTheWeightsGiven) {
  Sequential model({Embedding(2, 2, {.weights = Floats({2, 2}, {1, 2, 3, 4}), .name = "table"})});
  ASSERT_OK_AND_ASSIGN(const Tensor y, model.Predict(Floats({2, 1}, {1, 0})));
  EXPECT_THAT(ValuesOf(y), ElementsAre(3, 4, 1, 2));
  Sequential wrong({Embedding(3, 2, {.weights = Floats({2, 2}, {1, 2, 3, 4}), .name = "table"})});
  EXPECT_THAT(Message(wrong.Predict(Floats({2, 1}, {1, 0})).status()),
              HasSubstr("'table/embeddings': expected the shape [3,2], got [2,2]"));
}

// In compiled code, too; the NaN makes the loss NaN.
TEST(Embedding, TellsOfIdsOutside) {
  const SymbolicTensor ids = Input({4}, {.dtype = DType::kI64});
  Model model(ids, Embedding(3, 1, {.weights = Floats({3, 1}, {10, 20, 30})})(ids));
  Tensor x(DType::kI64, {1, 4});
  std::ranges::copy(std::vector<int64_t>{-1, 3, int64_t{1} << 32, 1}, x.mutable_values<int64_t>().begin());
  ASSERT_OK_AND_ASSIGN(const Arrays y, model.Predict(x));
  EXPECT_EQ(y[0].values<float>()[0], 30);
  EXPECT_TRUE(std::isnan(y[0].values<float>()[1]) && std::isnan(y[0].values<float>()[2]));
  EXPECT_EQ(y[0].values<float>()[3], 20);
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, Tensor(DType::kF32, {1, 4, 1}), {.verbose = 0}));
  EXPECT_TRUE(std::isnan(history["loss"][0]));
}

// Rows are added in order, so that results are equal for any number of threads.
TEST(Embedding, TrainsToTheSameBitsOnAnyNumberOfThreads) {
  Tensor x(DType::kI32, {400, 6}), y(DType::kF32, {400, 6, 1});
  for (size_t i = 0; i < 2400; ++i) {
    x.mutable_values<int32_t>()[i] = int32_t(i * i % 17);
    y.mutable_values<float>()[i] = float(i % 5);
  }
  std::vector<std::vector<float>> tables;
  for (const int64_t threads : {1, 2, 4}) {
    Sequential model({Embedding(17, 9, {.mask_zero = true, .name = "table", .input_shape = {6}}), Dense(1)},
                     {.seed = 3});
    ASSERT_OK(model.Compile({.optimizer = "adam", .loss = "mse"}));
    ASSERT_OK(model.Fit(x, y, {.epochs = 3, .threads = threads, .verbose = 0}));
    ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetLayerWeights("table"));
    tables.push_back(ValuesOf(weights[0]));
  }
  EXPECT_EQ(tables[0], tables[1]);
  EXPECT_EQ(tables[0], tables[2]);
}

// The weight of a sample applies to each of its steps; padding does not count.
TEST(Masking, GoesWithWeightsOfSamples) {
  Sequential model({Masking(0, {.input_shape = {2, 1}}), Dense(1, {.kernel_initializer = "ones"})});
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse", .metrics = {"mae"}, .weighted_metrics = {"mae"}}));
  const Tensor x = Floats({2, 2, 1}, {1, 0, 2, 3}), y = Floats({2, 2, 1}, {0, 100, 0, 0});
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, {.sample_weight = Floats({2}, {1, 10})}));
  std::map<std::string, double> found;
  for (const LogValue& log : logs) found[log.name] = log.value;
  EXPECT_FLOAT_EQ(float(found.at("loss")), (1 + 10 * 4 + 10 * 9) / 3.0f);
  EXPECT_FLOAT_EQ(float(found.at("mae")), 2);
  EXPECT_FLOAT_EQ(float(found.at("weighted_mae")), (1 + 10 * 2 + 10 * 3) / 21.0f);
}

TEST(Masking, EndsWhereALayerDoesNotKnowIt) {
  Sequential model({Masking(0, {.input_shape = {2, 1}}), Reshape({2, 1})});
  ASSERT_OK(model.Compile({.optimizer = "sgd", .loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(Floats({1, 2, 1}, {0, 1}), Floats({1, 2, 1}, {2, 1})));
  EXPECT_EQ(logs[0].value, 2);
}

TEST(TimeDistributed, IsTheLayerWithin) {
  Sequential model({TimeDistributed(Dense(3, "relu", {.trainable = false}), {.name = "steps", .input_shape = {4, 2}})});
  ASSERT_OK_AND_ASSIGN(const LayerConfig layer, model.GetLayer("steps"));
  EXPECT_FALSE(layer.trainable);
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetLayerWeights("steps"));
  ASSERT_EQ(weights.size(), 2u);
  EXPECT_THAT(weights[0].shape(), ElementsAre(2, 3));
  Sequential wrong({TimeDistributed(Dense(0), {.name = "steps", .input_shape = {4, 2}})});
  EXPECT_THAT(Message(wrong.status()), AllOf(HasSubstr("'steps'"), HasSubstr("'units' must be an int of at least 1")));
}

}  // namespace
}  // namespace fusebox::testing
