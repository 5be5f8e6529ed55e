// SPDX-License-Identifier: Apache-2.0
// The programs of examples/models on California's housing, as a user runs them.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "fusebox/runtime/model.h"
#include "gmock/gmock.h"
#include "tests/runtime/formats/files.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

class Examples : public ::testing::TestWithParam<const char*> {};

TEST_P(Examples, LearnsWhatHousesCost) {
  const char* folder = std::getenv("FUSEBOX_DATA_DIR");
  const std::string data = std::string(folder != nullptr ? folder : ".") + "/california_housing.csv";
  if (!std::filesystem::exists(data)) {
    GTEST_SKIP()
        << data << " is missing: set FUSEBOX_DATA_DIR to a folder with california_housing.csv, which scikit-learn "
        << "writes: fetch_california_housing(as_frame=True).frame.to_csv(\"california_housing.csv\", index=False)";
  }
  const TempFolder work;
  const std::string name = GetParam();
  const std::string command =
      fmt::format("cd '{}' && FUSEBOX_DATA_DIR='{}' '{}/bin/{}' 3 2>&1", work / "",
                  std::filesystem::absolute(data).parent_path().string(), FUSEBOX_BUILD_DIR, name);
  FILE* const pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (char piece[4096]; size_t got = std::fread(piece, 1, sizeof piece, pipe);) output.append(piece, got);
  ASSERT_EQ(pclose(pipe), 0) << output;
  // Of a class the summary has the members, as Keras's.
  EXPECT_THAT(output, HasSubstr(name == "wide_and_deep_model" ? "hidden1 (Dense)" : "concatenate"));
  EXPECT_THAT(output, HasSubstr("Epoch 3/3"));
  // Prices vary by 1.33 (their variance), which a model that knows nothing is left with.
  const size_t at = output.find("test: loss ");
  ASSERT_NE(at, std::string::npos) << output;
  EXPECT_LT(std::strtod(output.c_str() + at + 11, nullptr), 0.9) << output;
  EXPECT_OK(LoadModel(work / (name + ".keras")));
}

INSTANTIATE_TEST_SUITE_P(CaliforniaHousing, Examples,
                         ::testing::Values("wide_and_deep", "wide_and_deep_two_inputs", "auxiliary_output",
                                           "wide_and_deep_model"),
                         [](const auto& example) { return std::string(example.param); });

}  // namespace
}  // namespace fusebox::testing
