// SPDX-License-Identifier: Apache-2.0
// Files that each minor version of Keras 3 and Keras 2 wrote (tests/data/keras_versions, made by
// tests/python/make_old_keras_files.py), and files in forms of their own (make_odd_keras_files.py), predict, evaluate
// and train on with the numbers of that version.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/zip_archive.h"
#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/sequential.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr float kBound = 2e-5f;

void Flatten(const json& value, std::vector<double>& numbers) {
  if (!value.is_array()) return numbers.push_back(value.get<double>());
  for (const json& part : value) Flatten(part, numbers);
}

// A tensor of nested lists: i32 if all numbers are whole, else f32.
Tensor TensorOf(const json& value) {
  std::vector<int64_t> shape;
  for (const json* part = &value; part->is_array(); part = &part->at(0)) shape.push_back(int64_t(part->size()));
  std::vector<double> numbers;
  Flatten(value, numbers);
  const json* first = &value;
  while (first->is_array()) first = &first->at(0);
  Tensor tensor(DType::kF32, shape);
  std::ranges::transform(numbers, tensor.mutable_values<float>().begin(), [](double x) { return float(x); });
  return first->is_number_integer() ? tensor.Cast(DType::kI32) : tensor;
}

Arrays ArraysOf(const json& named) {
  std::vector<NamedTensor> some;
  for (const auto& [name, value] : named.items()) some.push_back({name, TensorOf(value)});
  if (some.size() == 1) return some[0].value;
  return some;
}

void ExpectNear(const Tensor& got, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  for (size_t i = 0; i < size_t(expected.size()); ++i)
    ASSERT_NEAR(got.values<float>()[i], expected.values<float>()[i], kBound) << what << " " << i;
}

void ExpectKerasNumbers(Model& model, const json& expected) {
  const Arrays x = ArraysOf(expected.at("x")), y = ArraysOf(expected.at("y"));
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(x));
  const json& outputs = expected.at("prediction");
  ASSERT_EQ(predicted.size(), outputs.size());
  for (const auto& [name, value] : outputs.items())
    ExpectNear(outputs.size() == 1 ? predicted[0] : predicted[name], TensorOf(value), name);
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, {.batch_size = 4}));
  EXPECT_GE(logs.size(), expected.at("evaluate").size());  // Keras 3.4 leaves out the outputs' losses.
  for (const auto& [name, value] : expected.at("evaluate").items()) {
    if (name == "loss" && expected.value("penalties_twice", false)) continue;
    const double weight = expected.value("weighed", json::object()).value(name, 1.0);
    EXPECT_NEAR(weight * logs[name], value.get<double>(), kBound) << name;
  }
  if (!expected.contains("next_loss")) return;
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.batch_size = 4, .shuffle = false, .verbose = 0}));
  EXPECT_NEAR(history["loss"][0], expected.at("next_loss").get<double>(),
              expected.value("next_loss_bound", double(kBound)));
}

class KerasVersions : public ::testing::TestWithParam<const char*> {};

TEST_P(KerasVersions, OpenWithTheirNumbers) {
  const std::string folder = DataPath("keras_versions/") + GetParam() + "/";
  const json expected = json::parse(Slurp(folder + "expected.json"));
  for (const auto& [name, about] : expected.at("models").items()) {
    for (const json& file : about.at("files")) {
      SCOPED_TRACE(expected.at("version").get<std::string>() + ": " + file.get<std::string>());
      ASSERT_OK_AND_ASSIGN(Model model, LoadModel(folder + file.get<std::string>()));
      ExpectKerasNumbers(model, about);
    }
  }
}

TEST(OddKerasFiles, OldOptimizersStayOldWhenSavedAgain) {
  const std::string folder = DataPath("keras_versions/odd-keras-2.15/");
  const json expected = json::parse(Slurp(folder + "expected.json"));
  const TempFolder temporary;
  for (const char* name : {"old_rmsprop.h5", "old_adagrad.h5", "old_nadam.h5"}) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(Model model, LoadModel(folder + name));
    ASSERT_OK(model.Save(temporary / "again.keras"));
    ASSERT_OK_AND_ASSIGN(Model again, LoadModel(temporary / "again.keras"));
    ExpectKerasNumbers(again, expected.at("models").at(name));
  }
}

TEST(OddKerasFiles, WeightsMayLieInSeveralFiles) {
  const std::string folder = DataPath("keras_versions/odd-keras-3.15/");
  const Tensor x = TensorOf(json::parse(Slurp(folder + "expected.json")).at("models").at("lora").at("x").at("x"));
  const auto predicted_with = [&](const char* weights) -> absl::StatusOr<Tensor> {
    Sequential model({Dense(4, "tanh", {.input_shape = {4}}), Dense(3)});
    FUSEBOX_RETURN_IF_ERROR(model.LoadWeights(folder + weights));
    FUSEBOX_ASSIGN_OR_RETURN(const Arrays predicted, model.Predict(x));
    return predicted[0];
  };
  ASSERT_OK_AND_ASSIGN(const Tensor parts, predicted_with("parts.weights.json"));
  ASSERT_OK_AND_ASSIGN(const Tensor whole, predicted_with("whole.weights.h5"));
  ExpectNear(parts, whole, "prediction");
  EXPECT_THAT(predicted_with("expected.json").status(), StatusHasMessage(HasSubstr("HDF5")));
}

TEST(OddKerasFiles, AllUnknownLayersAreNamedBeforeTheWeightsAreRead) {
  const TempFolder folder;
  const auto open = [&](const std::string& layers) {
    const std::string config = R"({"class_name": "Sequential", "config": {"layers": [)" + layers + "]}}";
    const std::string path = folder / "m.keras";
    std::ofstream(path) << *ZipBytes({{"config.json", config}, {"model.weights.h5", "none"}});
    return LoadModel(path).status();
  };
  const std::string lstm = R"({"class_name": "LSTM", "config": {"name": "a"}})";
  const std::string conv = R"({"class_name": "Conv9D", "config": {"name": "b"}})";
  EXPECT_THAT(open(lstm), StatusHasMessage(HasSubstr("m.keras': layer LSTM ('a'): unknown layer 'fusebox/lstm': did you mean")));
  EXPECT_THAT(open(lstm + ", " + conv),
              StatusHasMessage(HasSubstr("m.keras': unknown layers: Conv9D ('b'), LSTM ('a'); what Keras takes")));
}

INSTANTIATE_TEST_SUITE_P(Each, KerasVersions,
                         ::testing::Values("keras-3.0", "keras-3.1", "keras-3.2", "keras-3.3", "keras-3.4",
                                           "keras-3.5", "keras-3.6", "keras-3.7", "keras-3.8", "keras-3.9",
                                           "keras-3.10", "keras-3.11", "keras-3.12", "keras-3.13", "keras-3.14",
                                           "keras-3.15", "tf_keras-2.15", "tf_keras-2.16", "tf_keras-2.17",
                                           "tf_keras-2.18", "tf_keras-2.19", "tf_keras-2.20", "tf_keras-2.21",
                                           "odd-keras-2.15", "odd-keras-3.15"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace fusebox::testing
