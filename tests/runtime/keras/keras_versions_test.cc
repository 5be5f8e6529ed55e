// SPDX-License-Identifier: Apache-2.0
// Files that each minor version of Keras 3 and Keras 2 wrote (tests/data/keras_versions, made by
// tests/python/make_old_keras_files.py) predict, evaluate and train on with the numbers of that version.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "fusebox/runtime/model.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using nlohmann::json;

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
    EXPECT_NEAR(logs[name], value.get<double>(), kBound) << name;
  }
  if (!expected.contains("next_loss")) return;
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.batch_size = 4, .shuffle = false, .verbose = 0}));
  EXPECT_NEAR(history["loss"][0], expected.at("next_loss").get<double>(), kBound);
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

INSTANTIATE_TEST_SUITE_P(Each, KerasVersions,
                         ::testing::Values("keras-3.0", "keras-3.1", "keras-3.2", "keras-3.3", "keras-3.4"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace fusebox::testing
