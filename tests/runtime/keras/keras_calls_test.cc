// SPDX-License-Identifier: Apache-2.0
// Models that Keras 3 and Keras 2 called in every form they know: with lists, dicts, keyword arguments and training
// flags (tests/data/keras_calls, made by tests/python/make_keras_calls.py). They predict, evaluate and train on with
// Keras's numbers, also after fusebox has saved them.
#include "fusebox/runtime/keras/keras_calls_read.h"
#include "tests/runtime/keras/keras_models.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KerasCalls : public KerasModels {
 protected:
  std::string Folder() const override { return "keras_calls"; }
};

TEST_P(KerasCalls, MeanWhatKerasDoes) { ExpectSameAsKeras(); }

INSTANTIATE_TEST_SUITE_P(Files, KerasCalls,
                         ::testing::Values("dict_outputs.keras", "dict_keys.keras", "one_key.keras",
                                           "nested_dicts.keras", "by_name.keras", "nested_twice.keras",
                                           "keywords.keras", "flags2.h5", "dicts2.h5", "nested2.h5"),
                         NameOfFile);

// Each operation of keras.ops, or function of TensorFlow, is an output.
class KerasOperations : public KerasCalls {};

TEST_P(KerasOperations, GiveKerasValues) {
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(Path()));
  const TempFolder folder;
  ASSERT_OK(model.Save(folder / "again.keras"));
  ASSERT_OK_AND_ASSIGN(Model again, LoadModel(folder / "again.keras"));
  for (Model* each : {&model, &again}) {
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, each->Predict(Named("x_")));
    const Arrays expected = Named("prediction_");
    ASSERT_EQ(predicted.size(), expected.size());
    for (const auto& [name, value] : expected.named()) {
      const Tensor got = predicted[name].Cast(DType::kF32);
      ASSERT_EQ(got.shape(), value.shape()) << name;
      for (size_t i = 0; i < size_t(value.size()); ++i)
        ASSERT_NEAR(got.values<float>()[i], value.values<float>()[i], kBound) << name << " " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, KerasOperations, ::testing::Values("operations.keras", "operations2.h5"), NameOfFile);

TEST(KerasCalls, ReadsStructuresInKerasOrder) {
  const Json values = Json::parse(R"({"b": ["x", 0, 0], "a": ["y", 1, 2]})");
  ASSERT_OK_AND_ASSIGN(const KerasValues read, HistoriesFromJson(values, "f"));
  EXPECT_THAT(read.keys, ElementsAre("a", "b"));
  EXPECT_EQ(read.values[0].layer, "y");
  EXPECT_EQ(read.values[0].output, 2u);
  EXPECT_TRUE(read.IsDict());
  ASSERT_OK_AND_ASSIGN(const KerasValues list, HistoriesFromJson(Json::parse(R"([["x", 0, 0], ["y", 0, 0]])"), "f"));
  EXPECT_FALSE(list.IsDict());
}

TEST(KerasCalls, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"args": [3], "kwargs": {}})", "f: called with 3, which is no value of the model"},
      {R"({"args": [], "kwargs": {}})", "f: called without a value"},
      {R"([])", "f: called without a value"},
      {R"({"args": [], "kwargs": {"state": 3}})", "f: called with state = 3, which is not supported"},
      {R"([["x", 0, 0, {"state": 3}]])", "f: called with state = 3, which is not supported"},
      {R"([["x", 0, 0, {"mask": ["m", 0]}]])", "f: a value as in [\"dense\", 0, 0] expected, got \"m\""},
      {R"([["x", 0]])", "f: called with [\"x\",0], which is no value of the model"}};
  for (const auto& [node, message] : cases)
    EXPECT_THAT(NodeFromJson(Json::parse(node), "f"), StatusHasMessage(HasSubstr(message))) << node;
}

}  // namespace
}  // namespace fusebox::testing
