// SPDX-License-Identifier: Apache-2.0
// The most frequent mistakes of users: each gives one line that names the component, what was expected and what was
// found, before the first step runs.
#include <cmath>
#include <fstream>

#include "fusebox/graph/builder.h"
#include "fusebox/graph/ops.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

const std::string kHere = "tests/runtime/bad_input_test.cc:";

// [4] -> [3] by softmax, with `units` units.
Sequential Classifier(const std::string& loss, std::vector<ItemArg> metrics = {}, int64_t units = 3) {
  Sequential model({Dense(units, "softmax", {.name = "scores", .input_shape = {4}})});
  EXPECT_OK(model.Compile({.optimizer = "sgd", .loss = loss, .metrics = std::move(metrics)}));
  return model;
}

// The error of Fit. Nothing may have been trained before it.
template <class AnyModel>
std::string FitError(AnyModel model, const Arrays& x, const Arrays& y, FitArgs args = {}) {
  args.verbose = 0;
  const std::vector<Tensor> before = *model.GetWeights();
  const absl::StatusOr<History> history = model.Fit(x, y, std::move(args));
  const std::vector<Tensor> after = *model.GetWeights();
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(std::ranges::equal(before[i].values<float>(), after[i].values<float>())) << "it was trained";
  const std::string message(history.status().message());
  EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
  return message;
}

const Tensor kX(DType::kF32, {20, 4}), kClasses(DType::kI32, {20}), kOneHot(DType::kF32, {20, 3});

TEST(BadInput, ACycle) {
  // Calls in C++ cannot create this error: it takes a file.
  const std::string config = R"({"module": "keras.src.models.functional", "class_name": "Functional", "config": {
    "name": "ring", "layers": [
      {"module": "keras.layers", "class_name": "InputLayer", "name": "in", "config": {"batch_shape": [null, 2], "name": "in"},
       "inbound_nodes": []},
      {"module": "keras.layers", "class_name": "Add", "name": "sum", "config": {"name": "sum"},
       "inbound_nodes": [[["in", 0, 0, {}], ["back", 0, 0, {}]]]},
      {"module": "keras.layers", "class_name": "Dense", "name": "back", "config": {"name": "back", "units": 2},
       "inbound_nodes": [[["sum", 0, 0, {}]]]},
      {"module": "keras.layers", "class_name": "Dense", "name": "out", "config": {"name": "out", "units": 1},
       "inbound_nodes": [[["back", 0, 0, {}]]]}],
    "input_layers": [["in", 0, 0]], "output_layers": [["out", 0, 0]]}})";
  EXPECT_THAT(ParseKerasConfig(config, "ring.keras").status(),
              StatusHasMessage(EndsWith("a cycle: of the layers 'sum', 'back' each waits for what another one gives, "
                                        "expected a graph without cycles")));
}

TEST(BadInput, AnInputThatNothingUses) {
  const SymbolicTensor a = Input({5}, {.name = "a"}), b = Input({6}, {.name = "b"});
  EXPECT_THAT(Model({a, b}, Dense(1)(a)).status(),
              StatusHasMessage(MatchesRegex(kHere + "[0-9]+: model 'functional': input 'b' \\[" + kHere +
                                            "[0-9]+\\] is used by none of the model's outputs")));
}

TEST(BadInput, TwoLayersOfOneName) {
  const SymbolicTensor a = Input({5});
  EXPECT_THAT(Model(a, Dense(1, {.name = "d"})(Dense(1, {.name = "d"})(a))).status(),
              StatusHasMessage(MatchesRegex(kHere +
                                            "[0-9]+: model 'functional': two layers are named 'd', the second is "
                                            "that of " +
                                            kHere + "[0-9]+")));
  EXPECT_THAT(Sequential({Dense(1, {.name = "d"}), Dense(1, {.name = "d"})}).status(),
              StatusHasMessage(MatchesRegex(kHere + "[0-9]+: 'd', the model has another layer of this name")));
}

TEST(BadInput, ConcatenatingShapesThatDoNotAgree) {
  const SymbolicTensor a = Input({5, 1}), b = Input({2, 3});
  EXPECT_THAT(
      Model({a, b}, Concatenate({.axis = 1, .name = "both"})({a, b})).status(),
      StatusHasMessage(MatchesRegex(kHere + "[0-9]+: .*'both', layer fusebox/concatenate@1.*: expects inputs that "
                                            "agree in all axes but 1, got f32.N,5,1. and f32.N,2,3., which "
                                            "differ in axis 2.*")));
}

TEST(BadInput, ALossOrMetricForAnOutputThatThereIsNot) {
  const SymbolicTensor x = Input({4});
  Model model(x, {Dense(1, {.name = "main"})(x), Dense(1, {.name = "aux"})(x)}, {.name = "two"});
  EXPECT_THAT(model.Compile({.loss = {{"main", "mse"}, {"other", "mse"}}}),
              StatusHasMessage("model 'two' has no output 'other', for which losses are given: its outputs are 'main', "
                               "'aux'"));
  EXPECT_THAT(
      model.Compile({.loss = "mse", .metrics = {{"other", {"mae"}}}}),
      StatusHasMessage("model 'two' has no output 'other', for which metrics are given: its outputs are 'main', "
                       "'aux'"));
  EXPECT_THAT(model.Compile({.loss = "mse", .loss_weights = {{"other", 2.0}}}),
              StatusHasMessage("model 'two' has no output 'other', for which loss_weights are given: its outputs are "
                               "'main', 'aux'"));
}

TEST(BadInput, AMetricOnTheWrongDtype) {
  // A prediction of the wrong dtype,
  const SymbolicTensor x = Input({4}), whole = Input({3}, {.name = "whole", .dtype = DType::kI32});
  Model model({x, whole}, {Dense(3, {.name = "scores"})(x), Identity({.name = "count"})(whole)});
  EXPECT_THAT(model.Compile({.loss = {{"scores", "mse"}}, .metrics = {{"count", {"mae"}}}}),
              StatusHasMessage(AllOf(HasSubstr("'metrics/count_mae', loss fusebox/mean_absolute_error@1"),
                                     HasSubstr("expects predictions f32[batch, ...], got i32[N,3]"))));
  // and labels of the wrong kind: fractions are not classes.
  Model scores(x, {Dense(3, {.name = "a"})(x), Dense(3, {.name = "b"})(x)});
  Tensor labels(DType::kF32, {20});
  labels.mutable_values<float>()[7] = 1.5f;
  for (const std::string metric : {"sparse_categorical_accuracy", "accuracy"}) {
    ASSERT_OK(scores.Compile({.optimizer = "sgd", .loss = {{"a", "mse"}}, .metrics = {{"b", {metric}}}}));
    EXPECT_THAT(scores.Evaluate(kX, {kOneHot, labels}).status(),
                StatusHasMessage(metric + ": y of sample 7 is 1.5, expected a class, which is a whole number"));
  }
}

TEST(BadInput, SparseLabelsWhereOneHotIsExpected) {
  EXPECT_THAT(
      FitError(Classifier("categorical_crossentropy"), kX, kClasses),
      HasSubstr("'loss', loss fusebox/categorical_crossentropy@1 of plugin fusebox/losses 0.1.0: expects one-hot "
                "targets like f32[N,3], got f32[N]: for class indices use "
                "sparse_categorical_crossentropy"));
  EXPECT_THAT(
      FitError(Classifier("sparse_categorical_crossentropy"), kX, kOneHot),
      HasSubstr("'loss', loss fusebox/sparse_categorical_crossentropy@1 of plugin fusebox/losses 0.1.0: expects "
                "one class per prediction, i32[N] for f32[N,3], got i32[N,3]: for one-hot targets use "
                "categorical_crossentropy"));
  Sequential model({Dense(3, "softmax", {.input_shape = {4}})});
  EXPECT_THAT(
      model.Compile({.loss = "sparse_categorical_crossentropy", .metrics = {"categorical_accuracy"}}),
      StatusHasMessage(HasSubstr("'metrics/categorical_accuracy', metric fusebox/categorical_accuracy@1 of plugin "
                                 "fusebox/metrics 0.1.0: expects one-hot targets like f32[N,3], got i32[N]: for "
                                 "class indices use sparse_categorical_accuracy")));
  Tensor four(DType::kI32, {20});
  four.mutable_values<int32_t>()[3] = 3;
  EXPECT_EQ(FitError(Classifier("sparse_categorical_crossentropy"), kX, four),
            "sparse_categorical_crossentropy: y of sample 3 is 3, expected a class from 0 to 2");
}

TEST(BadInput, ASoftmaxOfOneUnit) {
  for (const std::string loss : {"mean_squared_error", "hinge"}) {
    Sequential model({Dense(1, "softmax", {.name = "yes", .input_shape = {4}})});
    EXPECT_THAT(model.Compile({.optimizer = "sgd", .loss = loss}),
                StatusHasMessage("output 'yes': a softmax of one unit is always 1: expected two units or more, or a "
                                 "sigmoid, got f32[N,1]"));
  }
  Sequential model({Dense(1, {.input_shape = {4}}), Activation("softmax", {.name = "yes"})});
  EXPECT_THAT(
      model.Compile({.optimizer = "sgd", .loss = "binary_crossentropy"}),
      StatusHasMessage(HasSubstr("expects probabilities of a sigmoid, got a softmax of one unit, f32[N,1], which is "
                                 "always 1")));
  EXPECT_THAT(
      model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}),
      StatusHasMessage(HasSubstr("expects predictions of two or more classes, got f32[N,1]: a softmax of one unit "
                                 "is always 1, so use binary_crossentropy and a sigmoid")));
}

TEST(BadInput, NanInLabels) {
  Tensor labels(DType::kF32, {20}), one_hot = kOneHot.Clone();
  labels.mutable_values<float>()[17] = std::nanf("");
  EXPECT_EQ(FitError(Classifier("sparse_categorical_crossentropy"), kX, labels),
            "sparse_categorical_crossentropy: y of sample 17 is nan, expected a class from 0 to 2");
  one_hot.mutable_values<float>()[17 * 3 + 2] = std::nanf("");
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    EXPECT_EQ(FitError(Classifier("categorical_crossentropy"), kX, one_hot.Cast(dtype)),
              "y: NaN in sample 17, expected a number");
  }
  EXPECT_EQ(FitError(Classifier("mse"), kX, kOneHot, {.validation_data = Data{kX, one_hot}}),
            "validation data: y: NaN in sample 17, expected a number");
  const SymbolicTensor x = Input({4});
  Model two(x, {Dense(3, {.name = "main"})(x), Dense(3, {.name = "aux"})(x)});
  ASSERT_OK(two.Compile({.optimizer = "sgd", .loss = "mse"}));
  EXPECT_EQ(FitError(std::move(two), kX, {kOneHot, one_hot}), "y 'aux': NaN in sample 17, expected a number");
  // Large arrays are checked block by block.
  Sequential wide({Dense(700, {.input_shape = {4}})});
  ASSERT_OK(wide.Compile({.optimizer = "sgd", .loss = "mse"}));
  Tensor y(DType::kF32, {20, 700});
  y.mutable_values<float>()[13 * 700 + 699] = std::nanf("");
  EXPECT_EQ(FitError(std::move(wide), kX, y), "y: NaN in sample 13, expected a number");
}

TEST(BadInput, NoData) {
  EXPECT_EQ(FitError(Classifier("mse"), kX.Rows(0, 0), kOneHot.Rows(0, 0)), "x has no samples");
  EXPECT_EQ(FitError(Classifier("mse"), kX, kOneHot, {.validation_data = Data{kX.Rows(0, 0), kOneHot.Rows(0, 0)}}),
            "validation data: x has no samples");
  Sequential model = Classifier("mse");
  EXPECT_THAT(model.Evaluate(kX.Rows(0, 0), kOneHot.Rows(0, 0)).status(), StatusHasMessage("x has no samples"));
  EXPECT_EQ(FitError(Classifier("mse"), Tensor(), kOneHot), "layer 'scores' expects x of shape [N,4], got nothing");
}

TEST(BadInput, ABatchSizeOfZero) {
  EXPECT_EQ(FitError(Classifier("mse"), kX, kOneHot, {.batch_size = 0}), "batch_size: expected 1 or more, got 0");
  Sequential model = Classifier("mse");
  EXPECT_THAT(model.Evaluate(kX, kOneHot, {.batch_size = 0}).status(),
              StatusHasMessage("batch_size: expected 1 or more, got 0"));
}

TEST(BadInput, SampleWeightsOfTheWrongLength) {
  EXPECT_EQ(FitError(Classifier("mse"), kX, kOneHot, {.sample_weight = Tensor(DType::kF32, {19})}),
            "sample_weight: expected one number for each of 20 samples, got [19]");
  EXPECT_EQ(FitError(Classifier("mse"), kX, kOneHot, {.sample_weight = Tensor(DType::kF32, {20, 3})}),
            "sample_weight: expected one number for each of 20 samples, got [20,3]");
}

TEST(BadInput, AWeightOfAClassThatThereIsNot) {
  EXPECT_EQ(FitError(Classifier("sparse_categorical_crossentropy"), kX, kClasses, {.class_weight = {{0, 1}, {3, 2.5}}}),
            "class_weight: there is no class 3: expected one from 0 to 2");
  EXPECT_EQ(FitError(Classifier("categorical_crossentropy"), kX, kOneHot, {.class_weight = {{-1, 2.5}}}),
            "class_weight: there is no class -1: expected one from 0 to 2");
  Sequential binary({Dense(1, "sigmoid", {.input_shape = {4}})});
  ASSERT_OK(binary.Compile({.optimizer = "sgd", .loss = "binary_crossentropy"}));
  EXPECT_THAT(binary.TrainOnBatch(kX, kClasses, {.class_weight = {{2, 2.5}}}).status(),
              StatusHasMessage("class_weight: there is no class 2: expected 0, 1 or another label of y"));
  // A class without samples is not an error.
  EXPECT_OK(binary.TrainOnBatch(kX, kClasses, {.class_weight = {{1, 2.5}}}));
}

TEST(BadInput, AValueOfAnotherModel) {
  const SymbolicTensor mine = Input({4}, {.name = "mine"}), other = Input({4}, {.name = "other"});
  const SymbolicTensor theirs = Dense(4, {.name = "theirs"})(other);
  EXPECT_THAT(Model(mine, Add({.name = "sum"})({mine, theirs})).status(),
              StatusHasMessage(MatchesRegex(kHere + "[0-9]+: model 'functional': " + kHere +
                                            "[0-9]+: layer 'theirs' needs input 'other' \\[" + kHere +
                                            "[0-9]+\\], which is not among the model's inputs")));
  // A mistake of plugin authors: values of two programs.
  GraphBuilder here, there;
  here.who = "'gate', layer acme/gate: ";
  const Value a = here.Input("a", {DType::kF32, {4}}), b = there.Input("b", {DType::kF32, {4}});
  EXPECT_FALSE((a + b).ok());
  EXPECT_THAT(here.status(), StatusHasMessage(MatchesRegex("'gate', layer acme/gate: operands of two graphs \\[" +
                                                           kHere + "[0-9]+\\]")));
  EXPECT_THAT(Model(mine, Dense(1, {.name = "out"})(SymbolicTensor())).status(),
              StatusHasMessage(HasSubstr("layer 'out' is made of an empty value")));
}

}  // namespace
}  // namespace fusebox::testing
