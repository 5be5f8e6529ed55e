// SPDX-License-Identifier: Apache-2.0
// Models whose layers, initializers and metrics have settings out of the ordinary: layers in the place of activations,
// seeds, arrays, dtypes, inputs of different ranks, metrics of several numbers (tests/data/keras_item_models, made by
// tests/python/make_keras_item_models.py).
#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/sequential.h"
#include "tests/runtime/keras/keras_models.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KerasItemModels : public KerasModels {
 protected:
  std::string Folder() const override { return "keras_item_models"; }
};

TEST_P(KerasItemModels, HaveKerasNumbers) { ExpectSameAsKeras(); }

INSTANTIATE_TEST_SUITE_P(Files, KerasItemModels,
                         ::testing::Values("activations.keras", "activations.h5", "initial.keras", "initial.h5",
                                           "preprocessing.keras", "preprocessing.h5", "merges.keras", "merges.h5",
                                           "integers.keras", "integers.h5", "vectors.keras", "vectors.h5"),
                         NameOfFile);

std::vector<std::string> NamesOf(const Logs& logs) {
  std::vector<std::string> names;
  for (const auto& [name, value] : logs) names.push_back(name);
  return names;
}

// Each element is logged by itself, wherever logs go.
TEST(VectorMetrics, AreLoggedElementByElement) {
  Sequential model({Dense(2, {.activation = "sigmoid", .input_shape = {3}})});
  ASSERT_OK(
      model.Compile({.loss = "binary_crossentropy", .metrics = {"f1_score", "precision:thresholds='[0.3;0.6]'"}}));
  const Tensor x(DType::kF32, {4, 3}), y(DType::kF32, {4, 2});
  const std::vector<std::string> names = {"f1_score_0", "f1_score_1", "loss", "precision_0", "precision_1"};
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y));
  EXPECT_EQ(NamesOf(logs), names);
  ASSERT_OK_AND_ASSIGN(const Logs batch, model.TrainOnBatch(x, y));
  EXPECT_EQ(NamesOf(batch), names);
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.validation_data = DataArg{x, y}, .verbose = 0}));
  for (const std::string& name : names) {
    EXPECT_EQ(history[name].size(), 1u) << name;
    EXPECT_EQ(history["val_" + name].size(), 1u) << name;
  }
}

TEST(VectorMetrics, DoNotTakeTheNamesOfOthers) {
  const auto compile = [](std::vector<std::string> metrics) {
    Sequential model({Dense(2, {.activation = "sigmoid", .input_shape = {3}})});
    const std::vector<ItemArg> items(metrics.begin(), metrics.end());
    return model.Compile({.loss = "mse", .metrics = MetricsArg(items)});
  };
  EXPECT_THAT(compile({"f1_score:name=f", "mae:name=f_1"}), StatusHasMessage(HasSubstr("metric 'f_1' is given twice")));
  EXPECT_THAT(compile({"mae:name=f_1", "f1_score:name=f"}), StatusHasMessage(HasSubstr("metric 'f_1' is given twice")));
  EXPECT_OK(compile({"mae:name=f_2", "f1_score:name=f"}));
}

// A layer that serves as an activation by its name alone is written as the object that Keras expects.
TEST(LayersAsActivations, AreSavedWithTheirWeights) {
  Sequential model({Dense(2, {.activation = "prelu", .name = "d", .input_shape = {3}})});
  ASSERT_OK(model.Compile({.loss = "mse"}));
  const TempFolder folder;
  ASSERT_OK(model.Save(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(Model again, LoadModel(folder / "m.keras"));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, again.GetLayerWeights("d"));
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_THAT(weights[2].shape(), ElementsAre(2));
}

// A large array, such as vectors of words, is no matter of symbols.
TEST(ConstantInitializer, TakesLargeArrays) {
  std::string numbers;
  for (int i = 0; i < 3000 * 2; ++i) numbers += fmt::format("{}{}", i == 0 ? '[' : ';', i % 1000);
  const std::string constant = fmt::format("constant:shape=[3000;2],value='{}]'", numbers);
  Sequential model({Embedding(3000, 2, {.embeddings_initializer = constant, .name = "table", .input_shape = {1}})});
  ASSERT_OK(model.Compile({.loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> weights, model.GetLayerWeights("table"));
  ASSERT_EQ(weights.size(), 1u);
  for (size_t i = 0; i < 6000; ++i) ASSERT_EQ(weights[0].values<float>()[i], float(i % 1000)) << i;
}

}  // namespace
}  // namespace fusebox::testing
