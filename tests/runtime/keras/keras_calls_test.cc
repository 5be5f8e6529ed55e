// SPDX-License-Identifier: Apache-2.0
// Models that Keras 3 and Keras 2 called in every form they know: with lists, dicts, keyword arguments and training
// flags (tests/data/keras_calls, made by tests/python/make_keras_calls.py). They predict, evaluate and train on with
// Keras's numbers, also after fusebox has saved them.
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/keras/keras_calls_read.h"
#include "fusebox/runtime/model.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kBound = 2e-5f;

class KerasCalls : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string file = GetParam();
    base_ = DataPath("keras_calls/") + file.substr(0, file.find('.'));
    ASSERT_OK_AND_ASSIGN(arrays_, ReadNpz(base_ + ".npz"));
  }
  Arrays Named(const std::string& prefix) const {
    std::vector<NamedTensor> some;
    for (const auto& [name, value] : arrays_) {
      if (name.starts_with(prefix)) some.push_back({name.substr(prefix.size()), value});
    }
    return some;
  }
  void ExpectKerasNumbers(Model& model) const {
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(Named("x_")));
    const Arrays expected = Named("prediction_");
    ASSERT_EQ(predicted.size(), expected.size());
    for (const auto& [name, value] : expected.named()) {
      const Tensor& got = expected.size() == 1 ? predicted[0] : predicted[name];
      ASSERT_EQ(got.shape(), value.shape()) << name;
      for (size_t i = 0; i < size_t(value.size()); ++i)
        ASSERT_NEAR(got.values<float>()[i], value.values<float>()[i], kBound) << name << " " << i;
    }
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(Named("x_"), Named("y_"), {.batch_size = 4}));
    const Arrays finals = Named("final_");
    EXPECT_EQ(logs.size(), finals.size());
    for (const auto& [name, value] : finals.named()) EXPECT_NEAR(logs[name], value.values<float>()[0], kBound) << name;
  }
  void ExpectNextLoss(Model& model) const {
    ASSERT_OK_AND_ASSIGN(const History history,
                         model.Fit(Named("x_"), Named("y_"), {.batch_size = 4, .shuffle = false, .verbose = 0}));
    EXPECT_NEAR(history["loss"][0], Named("next_loss")[0].values<float>()[0], kBound);
  }

  std::string base_;
  std::vector<NamedTensor> arrays_;
};

TEST_P(KerasCalls, MeanWhatKerasDoes) {
  const std::string file = DataPath("keras_calls/") + GetParam();
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(file));
  ExpectKerasNumbers(model);
  const TempFolder folder;
  ASSERT_OK(model.Save(folder / "again.keras"));
  ASSERT_OK_AND_ASSIGN(Model again, LoadModel(folder / "again.keras"));
  EXPECT_EQ(again.config(), model.config());
  ExpectKerasNumbers(again);
  ExpectNextLoss(model);
  ExpectNextLoss(again);
}

INSTANTIATE_TEST_SUITE_P(Files, KerasCalls,
                         ::testing::Values("dict_outputs.keras", "dict_keys.keras", "one_key.keras",
                                           "nested_dicts.keras", "by_name.keras", "nested_twice.keras",
                                           "keywords.keras", "flags2.h5", "dicts2.h5", "nested2.h5"),
                         [](const auto& test) {
                           const std::string file = test.param;
                           return file.substr(0, file.find('.'));
                         });

// Each operation of keras.ops, or function of TensorFlow, is an output.
class KerasOperations : public KerasCalls {};

TEST_P(KerasOperations, GiveKerasValues) {
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(DataPath("keras_calls/") + GetParam()));
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

INSTANTIATE_TEST_SUITE_P(Files, KerasOperations, ::testing::Values("operations.keras", "operations2.h5"),
                         [](const auto& test) {
                           const std::string file = test.param;
                           return file.substr(0, file.find('.'));
                         });

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
