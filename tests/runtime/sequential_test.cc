// SPDX-License-Identifier: Apache-2.0
// Declaring and compiling: names, shapes and error messages. No program runs here.
#include "fusebox/runtime/sequential.h"

#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Error(const absl::Status& status) { return std::string(status.message()); }

absl::Status CompileAny(Sequential& model) { return model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}); }

TEST(Sequential, CountsNamesAsKerasDoes) {
  Sequential model({Flatten({.input_shape = {2, 2}}), Dense(3), Dense(3, {.name = "mine"}), Dense(3)});
  ASSERT_TRUE(model.status().ok()) << model.status();
  std::vector<std::string> names;
  for (const LayerConfig& layer : model.config().layers) names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("flatten", "dense", "mine", "dense_1"));
  EXPECT_EQ(model.config().layers[1].item.id, "fusebox/dense@1");
}

TEST(Sequential, ListAndAddGiveTheSameModel) {
  const Sequential list({Dense(3, "relu", {.input_shape = {4}}), Dense(1)});
  Sequential added;
  added.Add(Dense(3, "relu", {.input_shape = {4}})).Add(Dense(1));
  EXPECT_EQ(list.config(), added.config());
}

TEST(Sequential, TheInputMayBeGivenInFront) {
  const Sequential shape({Dense(3, "relu", {.input_shape = {4}}), Dense(1)});
  const Sequential list({Input({4}), Dense(3, "relu"), Dense(1)});
  Sequential added;
  added.Add(Input({4})).Add(Dense(3, "relu")).Add(Dense(1));
  EXPECT_EQ(list.config(), shape.config());
  EXPECT_EQ(added.config(), shape.config());
  // The input has a name and a dtype.
  Sequential named({Input({4}, {.name = "pixels", .dtype = DType::kF64}), Flatten()});
  EXPECT_EQ(named.config().inputs[0].name, "pixels");
  EXPECT_EQ(named.config().inputs[0].dtype, DType::kF64);
  // Models are layers.
  Sequential encoder({Input({4}), Dense(2, {.name = "code"})}, {.name = "encoder"});
  const Sequential stack({encoder, Dense(1)});
  ASSERT_TRUE(stack.status().ok()) << stack.status();
  EXPECT_EQ(stack.CountParams(), 10 + 3);

  const int line = __LINE__ + 1;
  const Sequential late({Dense(3), Input({4}, {.name = "late"})});
  EXPECT_EQ(Error(late.status()), "tests/runtime/sequential_test.cc:" + std::to_string(line) +
                                      ": input 'late' has to come first and only once");
  const Sequential twice({Input({4}), Input({4}), Dense(3)});
  EXPECT_THAT(Error(twice.status()), HasSubstr("an Input has to come first and only once"));
  const Sequential empty({Input({4, 0}), Dense(3)});
  EXPECT_THAT(Error(empty.status()), HasSubstr("an Input needs dimensions of 1 or more, got [4,0]"));
  const Sequential called({Dense(1)(Input({4})), Dense(3)});
  EXPECT_THAT(Error(called.status()),
              HasSubstr("model 'sequential': a stack takes layers, models and an Input, got the "
                        "result of a layer's call"));
}

TEST(Sequential, PopTakesTheLastLayerAway) {
  Sequential model({Dense(3, "relu", {.input_shape = {2}}), Dense(4), Dense(1)}, {.seed = 1});
  ASSERT_TRUE(CompileAny(model).ok());
  const Tensor x(DType::kF32, {6, 2}), one(DType::kF32, {6, 1}), four(DType::kF32, {6, 4});
  ASSERT_TRUE(model.Fit(x, one, {.verbose = 0}).ok());
  const std::vector<Tensor> before = *model.GetWeights();
  model.Pop();
  ASSERT_TRUE(model.status().ok()) << model.status();
  const std::vector<Tensor> after = *model.GetWeights();
  ASSERT_EQ(after.size(), 4u);
  for (size_t i = 0; i < after.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(after[i].values<float>(), before[i].values<float>())) << i;
  // The labels must fit the current last layer.
  EXPECT_THAT(Error(model.Fit(x, one, {.verbose = 0}).status()),
              HasSubstr("expects targets like f32[N,4], got f32[N,1]"));
  EXPECT_TRUE(model.Fit(x, four, {.verbose = 0}).ok());
  // The name is free again, for weights of another shape.
  model.Add(Dense(5));
  EXPECT_EQ(model.config().layers.back().name, "dense_2");
  EXPECT_EQ((*model.GetWeights())[4].shape(), (std::vector<int64_t>{4, 5}));
  model.Pop().Pop().Pop();
  EXPECT_EQ(model.config().layers.size(), 0u);
  model.Add(Dense(7));
  EXPECT_EQ((*model.GetWeights())[0].shape(), (std::vector<int64_t>{2, 7}));
  model.Pop().Pop();
  EXPECT_EQ(Error(model.status()), "model 'sequential' has no layer to pop");
  // Also if the input is not known yet.
  Sequential deferred({Dense(3), Dense(2)});
  EXPECT_EQ((*deferred.Pop().Predict(x)).shape(), (std::vector<int64_t>{6, 3}));
}

TEST(Sequential, AnyPluginsLayerIsAsEasy) {
  Sequential model({Layer("dense", {{"units", 3}, {"activation", "relu"}}, {.input_shape = {2}})});
  ASSERT_TRUE(model.status().ok()) << model.status();
  EXPECT_EQ(model.config().layers[0].item.id, "fusebox/dense@1");
}

TEST(Sequential, FirstErrorSticksWithItsLine) {
  Sequential model;
  model.Add(Dense(3, {.input_shape = {4}}));
  const int line = __LINE__ + 1;
  model.Add(Layer("dens", {{"units", 3}}));
  model.Add(Dense(-1));
  EXPECT_THAT(Error(CompileAny(model)), AllOf(HasSubstr("tests/runtime/sequential_test.cc:" + std::to_string(line)),
                                              HasSubstr("unknown layer 'dens': did you mean 'dense'?")));
}

TEST(Sequential, RefusesANegativeUnitCount) {
  Sequential model({Dense(-3, {.input_shape = {4}})});
  EXPECT_THAT(Error(CompileAny(model)), AllOf(HasSubstr("'units'"), HasSubstr("-3"), HasSubstr("sequential_test.cc:")));
}

TEST(Sequential, RefusesLayersThatDoNotFit) {
  Sequential model({Dense(3, "softmx", {.input_shape = {4}})});
  EXPECT_THAT(Error(CompileAny(model)), HasSubstr("did you mean 'softmax'"));
  Sequential twice({Dense(3, {.name = "a", .input_shape = {4}}), Dense(3, {.name = "a"})});
  EXPECT_THAT(Error(CompileAny(twice)), HasSubstr("'a', the model has another layer of this name"));
  Sequential late({Dense(3, {.input_shape = {4}}), Dense(3, {.input_shape = {3}})});
  EXPECT_THAT(Error(CompileAny(late)), HasSubstr("only the first layer may have an input_shape"));
}

TEST(Sequential, CompileNamesUnknownItems) {
  Sequential model({Dense(3, "softmax", {.input_shape = {4}})});
  EXPECT_THAT(Error(model.Compile({.optimizer = "sdg", .loss = "mean_squared_error"})),
              HasSubstr("unknown optimizer 'sdg': did you mean 'sgd'?"));
  EXPECT_THAT(Error(model.Compile({.optimizer = "sgd", .loss = "mean_square_error"})),
              HasSubstr("unknown loss 'mean_square_error': did you mean 'mean_squared_error'?"));
  EXPECT_THAT(Error(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error", .metrics = {"acuracy"}})),
              HasSubstr("unknown metric 'acuracy': did you mean 'accuracy'?"));
  EXPECT_THAT(Error(model.Compile({.optimizer = "sgd:momentum=2", .loss = "mean_squared_error"})),
              HasSubstr("'momentum'"));
  EXPECT_THAT(Error(model.Compile({.optimizer = "sgd:momentum", .loss = "mean_squared_error"})),
              HasSubstr("key=value"));
  EXPECT_THAT(Error(model.Compile({.optimizer = "sgd"})), HasSubstr("a loss is needed"));
}

TEST(Sequential, FitFindsWrongDataBeforeTheFirstStep) {
  Sequential model({Dense(3, "softmax", {.input_shape = {4}})});
  const Tensor x(DType::kF32, {10, 4}), y(DType::kI32, {10});
  EXPECT_THAT(Error(model.Fit(x, y).status()), HasSubstr("is not compiled"));
  ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}).ok());
  EXPECT_THAT(Error(model.Fit(Tensor(DType::kF32, {10, 5}), y).status()),
              HasSubstr("layer 'dense' expects x of shape [N,4], got [10,5]"));
  EXPECT_THAT(Error(model.Fit(x, Tensor(DType::kI32, {9})).status()), HasSubstr("x has 10 samples, y has 9"));
  Tensor wrong(DType::kI64, {10});
  wrong.mutable_values<int64_t>()[7] = 3;
  EXPECT_THAT(Error(model.Fit(x, wrong).status()),
              HasSubstr("sparse_categorical_crossentropy: y of sample 7 is 3, expected a class from 0 to 2"));
  EXPECT_THAT(Error(model.Fit(x, y, {.epochs = 0}).status()), HasSubstr("epochs: expected 1 or more, got 0"));
  EXPECT_THAT(Error(model.Fit(x, y, {.batch_size = 0}).status()), HasSubstr("batch_size: expected 1 or more, got 0"));
  EXPECT_THAT(Error(model.Fit(x, y, {.validation_split = 0.95}).status()),
              HasSubstr("leaves 0 to train and 10 to validate"));
  EXPECT_THAT(Error(model.Fit(x, y, {.validation_data = {{Tensor(DType::kF32, {2, 3}), y}}}).status()),
              HasSubstr("validation data: layer 'dense' expects x of shape [N,4], got [2,3]"));
  EXPECT_THAT(Error(model.Fit(x, y, {.callbacks = {"histroy"}}).status()), HasSubstr("did you mean 'history'?"));
}

TEST(Sequential, TargetsMustFitTheLoss) {
  Sequential model({Dense(3, {.input_shape = {4}})});
  ASSERT_TRUE(CompileAny(model).ok());
  EXPECT_THAT(Error(model.Fit(Tensor(DType::kF32, {10, 4}), Tensor(DType::kF32, {10, 2})).status()),
              HasSubstr("expects targets like f32[N,3], got f32[N,2]"));
}

TEST(Sequential, WeightsComeLayerByLayer) {
  Sequential model({Dense(3, "relu", {.input_shape = {2}}), Dense(1)}, {.seed = 1});
  const absl::StatusOr<std::vector<Tensor>> weights = model.GetWeights();
  ASSERT_TRUE(weights.ok()) << weights.status();
  ASSERT_EQ(weights->size(), 4u);
  EXPECT_THAT((*weights)[0].shape(), ElementsAre(2, 3));
  EXPECT_THAT((*weights)[1].shape(), ElementsAre(3));
  EXPECT_THAT((*weights)[2].shape(), ElementsAre(3, 1));
  const float limit = std::sqrt(6.0f / 5);
  for (const float w : (*weights)[0].values<float>())
    EXPECT_THAT(w, AllOf(::testing::Ge(-limit), ::testing::Le(limit)));
  for (const float b : (*weights)[1].values<float>()) EXPECT_EQ(b, 0);
}

TEST(Sequential, SeedDecidesTheFirstWeights) {
  const auto kernel = [](int64_t seed) {
    Sequential model({Dense(3, {.input_shape = {2}})}, {.seed = seed});
    const auto weights = *model.GetWeights();
    return std::vector<float>(weights[0].values<float>().begin(), weights[0].values<float>().end());
  };
  EXPECT_EQ(kernel(1), kernel(1));
  EXPECT_NE(kernel(1), kernel(2));
  SetRandomSeed(5);
  Sequential a({Dense(3, {.input_shape = {2}})});
  SetRandomSeed(5);
  Sequential b({Dense(3, {.input_shape = {2}})});
  const auto wa = *a.GetWeights(), wb = *b.GetWeights();
  EXPECT_TRUE(std::ranges::equal(wa[0].values<float>(), wb[0].values<float>()));
}

TEST(Sequential, SetWeightsChecksShapesFirst) {
  Sequential model({Dense(3, {.input_shape = {2}})});
  EXPECT_THAT(Error(model.SetWeights({Tensor(DType::kF32, {2, 3})})), HasSubstr("has 2 weights, got 1"));
  EXPECT_THAT(Error(model.SetWeights({Tensor(DType::kF32, {3, 2}), Tensor(DType::kF32, {3})})),
              HasSubstr("'dense/kernel': expected the shape [2,3], got [3,2]"));
  ASSERT_TRUE(model.SetWeights({Tensor(DType::kF32, {2, 3}), Tensor(DType::kF32, {3})}).ok());
  const auto weights = *model.GetWeights();
  for (const float w : weights[0].values<float>()) EXPECT_EQ(w, 0);
}

TEST(Sequential, WithoutAnInputShapeTheFirstDataDecide) {
  Sequential model({Flatten(), Dense(3)});
  ASSERT_TRUE(CompileAny(model).ok());
  EXPECT_THAT(Error(model.GetWeights().status()), HasSubstr("its input's shape is not known"));
  EXPECT_THAT(model.Summary(), HasSubstr("?"));
}

TEST(Sequential, SummaryIsKerasTable) {
  const Sequential model(
      {Flatten({.input_shape = {28, 28}}), Dense(300, "relu"), Dense(100, "relu"), Dense(10, "softmax")});
  EXPECT_EQ(model.Summary(), R"(Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)               │ (None, 784)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 300)            │       235,500 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 100)            │        30,100 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_2 (Dense)                 │ (None, 10)             │         1,010 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 266,610 (1.02 MB)
 Trainable params: 266,610 (1.02 MB)
 Non-trainable params: 0 (0.00 B)
)");
}

}  // namespace
}  // namespace fusebox
