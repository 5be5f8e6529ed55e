// SPDX-License-Identifier: Apache-2.0
// TimeDistributed of a model: results, names, files and errors. keras_training_test.cc compares its training with
// Keras's, and keras_interop_slow_test.cc its files, in both directions.
#include <algorithm>
#include <string>
#include <vector>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/runtime/numbers.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TimeDistributedModel, IsTheModelOnEachStep) {
  Sequential each({Dense(4, "tanh", {.input_shape = {3}}), Dense(2)}, {.name = "each", .seed = 1});
  const Tensor x = Numbers({6, 5, 3}), y = Numbers({6, 5, 2});
  ASSERT_OK_AND_ASSIGN(const Tensor steps, x.Reshape({30, 3}));
  ASSERT_OK_AND_ASSIGN(const Tensor expected, each.Predict(steps));
  // With the model's current weights; as a Sequential, and in a graph.
  Sequential stack({TimeDistributed(each, {.input_shape = {5, 3}})});
  ASSERT_OK_AND_ASSIGN(const Tensor of_stack, stack.Predict(x));
  EXPECT_THAT(of_stack.shape(), ElementsAre(6, 5, 2));
  EXPECT_TRUE(std::ranges::equal(of_stack.values<float>(), expected.values<float>()));
  const SymbolicTensor in = Input({5, 3});
  const Layer layer = TimeDistributed(each, {.name = "steps"});
  Model graph(in, Add()({layer(in), layer(in)}));
  ASSERT_OK_AND_ASSIGN(const Arrays twice, graph.Predict(x));
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_NEAR(twice[0].values<float>()[i], 2 * expected.values<float>()[i], 1e-6) << i;
  }
  EXPECT_EQ(graph.CountParams(), 16 + 10);
  EXPECT_THAT(graph.Summary(), AllOf(HasSubstr("│ steps "), HasSubstr("│ (TimeDistributed) ")));
  ASSERT_OK(graph.GetLayer("steps/dense"));

  // It trains, and can be saved and loaded.
  ASSERT_OK(graph.Compile({.optimizer = "adam:learning_rate=0.05", .loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const History history, graph.Fit(x, y, {.epochs = 20, .batch_size = 4, .verbose = 0}));
  EXPECT_LT(history["loss"].back(), 0.8 * history["loss"][0]);
  const TempFolder folder;
  ASSERT_OK(graph.Save(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(Model opened, LoadModel(folder / "m.keras"));
  EXPECT_EQ(opened.config(), graph.config());
  ASSERT_OK_AND_ASSIGN(const Arrays a, graph.Predict(x));
  ASSERT_OK_AND_ASSIGN(const Arrays b, opened.Predict(x));
  EXPECT_TRUE(std::ranges::equal(a[0].values<float>(), b[0].values<float>()));
}

// Steps of steps; and a Sequential that learns its input's shape from the layer before.
TEST(TimeDistributedModel, NestsAndSettles) {
  const Sequential inner({Dense(2, "tanh"), Dense(1)});
  const Sequential outer({TimeDistributed(inner), Flatten(), Dense(2)});
  Sequential model({TimeDistributed(outer, {.input_shape = {4, 5, 3}})}, {.seed = 2});
  ASSERT_OK(model.status());
  ASSERT_OK_AND_ASSIGN(const Tensor y, model.Predict(Numbers({3, 4, 5, 3})));
  EXPECT_THAT(y.shape(), ElementsAre(3, 4, 2));
  EXPECT_EQ(model.CountParams(), 8 + 3 + 12);
}

TEST(TimeDistributedModel, SaysWhatIsWrong) {
  const auto error = [](const Model& each, std::vector<int64_t> shape, bool trains = false) {
    Sequential model({TimeDistributed(each, {.name = "steps", .input_shape = std::move(shape)})});
    if (!model.status().ok() || !trains) return std::string(model.status().message());
    return std::string(model.Compile({.optimizer = "sgd", .loss = "mse"}).message());
  };
  EXPECT_THAT(
      error(Sequential({Dense(2)}), {3}),
      AllOf(HasSubstr("time_distributed_model_test.cc:"),
            HasSubstr("'steps', layer time_distributed: expects input [batch, time, ...] of rank 3 or more with a "
                      "fixed number of steps, got f32[N,3]")));
  EXPECT_THAT(error(Sequential({Dense(2, {.input_shape = {4}})}), {5, 3}),
              HasSubstr("'steps': its input 'input_layer' is f32[N,4], got f32[5*N,3]"));
  EXPECT_THAT(error(Sequential({Dense(0)}), {5, 3}),
              HasSubstr("attribute 'units' must be an int of at least 1, got 0"));
  EXPECT_EQ(error(Sequential({BatchNormalization()}), {5, 3}),
            "");  // In prediction it does not depend on other samples.
  EXPECT_THAT(
      error(Sequential({BatchNormalization({.name = "norm"})}), {5, 3}, true),
      HasSubstr("cannot train 'norm' step by step, a batch_normalization: put it on [batch, time, features] itself"));
  EXPECT_THAT(error(Sequential({Dense(2, {.activity_regularizer = "l2", .name = "d"})}), {5, 3}),
              HasSubstr("takes no model whose layers have activity penalties, as 'd': put them behind"));
  const SymbolicTensor a = Input({3});
  EXPECT_THAT(error(Model(a, {Dense(1)(a), Dense(1)(a)}), {5, 3}), HasSubstr("expects a model with one output, got 2"));
  Model adds(a, Dense(1)(a));
  adds.AddLoss(Dense(1)(a));
  EXPECT_THAT(error(adds, {5, 3}), HasSubstr("takes no model with what AddLoss or AddMetric has added"));
  class Own final : public Model {
   public:
    CallOutputs Call(const SymbolicTensors& inputs, bool) const override { return inputs[0]; }
  };
  EXPECT_THAT(
      error(Own(), {5, 3}),
      HasSubstr("TimeDistributed takes layers, Sequential and functional models: for the class Own, pass it the "
                "result of Traced()"));
}

}  // namespace
}  // namespace fusebox::testing
