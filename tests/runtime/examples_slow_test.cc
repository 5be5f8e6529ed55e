// SPDX-License-Identifier: Apache-2.0
// The programs of examples/models as users run them, with three seeds each.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "fusebox/runtime/model.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

struct Expected {
  const char* before;  // Text before the number, as in "test: loss ".
  double least, greatest;
};

struct Example {
  const char* name;
  int epochs;
  const char* data;  // Data that it needs; nullptr if it generates its own.
  std::vector<Expected> numbers;
  bool saves = true;
};
void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }

// Six seeds lie well within these bounds. Knowing nothing of the housing data gives a squared error of 1.33, the
// variance of the prices, and an absolute error of 0.91; for the other examples, an accuracy of a half, a third, ...
const char *const kHousing = "california_housing.csv", *const kClothes = "dataset-fashion-mnist";
const Example kExamples[] = {
    {"wide_and_deep", 3, kHousing, {{"test: loss ", 0.55, 0.85}}},
    {"wide_and_deep_two_inputs", 3, kHousing, {{"test: loss ", 0.55, 0.85}}},
    {"auxiliary_output", 3, kHousing, {{"main_output_loss ", 0.55, 0.9}, {"aux_output_loss ", 1.3, 2.3}}},
    {"wide_and_deep_model", 3, kHousing, {{"main_output_loss ", 0.55, 0.9}, {"aux_output_loss ", 1.3, 2.3}}},
    {"housing_mlp",
     5,
     kHousing,
     {{"mean_squared_error: mean_absolute_error ", 0.39, 0.49},
      {"mean_absolute_error: mean_absolute_error ", 0.37, 0.47},
      {"huber: mean_absolute_error ", 0.38, 0.48}},
     false},
    {"fashion_mnist_mlp", 2, kClothes, {{"test: accuracy ", 0.79, 0.85}}},
    {"sequential_by_adding", 2, kClothes, {{"test: accuracy ", 0.79, 0.85}}},
    {"two_moons", 30, nullptr, {{"test: accuracy ", 0.97, 1}, {"recall ", 0.96, 1}}},
    {"spirals", 30, nullptr, {{"test: accuracy ", 0.94, 1}}},
    {"three_regions", 30, nullptr, {{"test: binary_accuracy ", 0.97, 1}, {"f1_score ", 0.97, 1}}},
    // Each output keeps within its range for any input.
    {"bounded_outputs",
     30,
     nullptr,
     {{"energy_mae ", 0.01, 0.12},
      {"share_mae ", 0.005, 0.05},
      {"slope_mae ", 0.01, 0.12},
      {"energy: from ", 0, 20},
      {"share: from ", 0, 1},
      {"slope: from ", -1, 1}}},
};

class Examples : public ::testing::TestWithParam<std::tuple<Example, int>> {};

std::string FolderOf(const char* variable) {
  const char* const folder = std::getenv(variable);
  return folder != nullptr && *folder != '\0' ? folder : ".";
}

// Empty, or the missing data and where to get them.
std::string Missing(const char* data) {
  if (data == nullptr) return "";
  if (data == kClothes) {
    if (std::filesystem::exists("/usr/share/datasets/fashion-mnist")) return "";
    return "Fashion-MNIST is missing: install Debian's package dataset-fashion-mnist";
  }
  const std::string path = FolderOf("FUSEBOX_DATA_DIR") + "/" + data;
  if (std::filesystem::exists(path)) return "";
  return path +
         " is missing: set FUSEBOX_DATA_DIR to a folder with california_housing.csv, which scikit-learn writes: " +
         "fetch_california_housing(as_frame=True).frame.to_csv(\"california_housing.csv\", index=False)";
}

// The number after the last occurrence of this text.
double NumberAfter(const std::string& output, const std::string& words) {
  const size_t at = output.rfind(words);
  EXPECT_NE(at, std::string::npos) << "no '" << words << "' in: " << output;
  return at != std::string::npos ? std::strtod(output.c_str() + at + words.size(), nullptr) : NAN;
}

TEST_P(Examples, Learns) {
  const auto& [example, seed] = GetParam();
  const std::string missing = Missing(example.data);
  if (!missing.empty()) GTEST_SKIP() << missing;
  const TempFolder work;
  const std::string command = fmt::format("cd '{}' && FUSEBOX_DATA_DIR='{}' '{}/bin/{}' {} {} 2>&1", work / "",
                                          std::filesystem::absolute(FolderOf("FUSEBOX_DATA_DIR")).string(),
                                          FUSEBOX_BUILD_DIR, example.name, example.epochs, seed);
  FILE* const pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (char piece[4096]; size_t got = std::fread(piece, 1, sizeof piece, pipe);) output.append(piece, got);
  ASSERT_EQ(pclose(pipe), 0) << output;
  EXPECT_THAT(output, HasSubstr(fmt::format("Epoch {0}/{0}", example.epochs)));
  for (const Expected& expected : example.numbers) {
    const double number = NumberAfter(output, expected.before);
    EXPECT_TRUE(number >= expected.least && number <= expected.greatest)
        << expected.before << number << ", expected " << expected.least << " to " << expected.greatest;
  }
  if (example.saves) {
    const std::string file = std::string(example.name) == "fashion_mnist_mlp" ? "fashion_mnist" : example.name;
    EXPECT_OK(LoadModel(work / (file + ".keras")));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Examples,
                         ::testing::Combine(::testing::ValuesIn(kExamples), ::testing::Values(1, 2, 3)),
                         [](const auto& test) {
                           return fmt::format("{}_{}", std::get<0>(test.param).name, std::get<1>(test.param));
                         });

}  // namespace
}  // namespace fusebox::testing
