// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Bench : public CommandTest {};

TEST_F(Bench, MeasuresWhatTheFilterSays) {
  const ProcessResult result = Fusebox({"bench", "--filter", "^(product .256,|program 8)", "--seconds", "0",
                                        "--threads", "1,2", "--json", Path("b.json")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("product [256,256] [256,256]"), HasSubstr("program 8 - 30 - 30 - 1, 1 rows"),
                    HasSubstr("% of peak"), HasSubstr("Peak with 2 threads"), Not(HasSubstr("train"))));
  std::ifstream file(Path("b.json"));
  const nlohmann::json json = nlohmann::json::parse(file);
  ASSERT_EQ(json["results"].size(), 4);
  ASSERT_EQ(json["peaks"].size(), 2);
  for (const auto& row : json["results"]) {
    EXPECT_GT(row["least_seconds"], 0);
    EXPECT_GE(row["median_seconds"], row["least_seconds"]);
    EXPECT_GE(row["samples"], 3);
    EXPECT_GT(row["percent_of_peak"], 0);
  }
  EXPECT_EQ(json["results"][2]["flops"], 2.0 * 256 * 256 * 256);
  EXPECT_EQ(json["results"][3]["threads"], 2);
}

TEST_F(Bench, MeasuresTheStartOfTheCommandOnce) {
  const ProcessResult result = Fusebox({"bench", "--filter", "^start", "--seconds", "0", "--threads", "1,2"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("start, all plugins loaded, as it is: "));
}

TEST_F(Bench, ListsWithoutMeasuring) {
  const ProcessResult result = Fusebox({"bench", "--list"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const char* name : {"train mlp, batch 32\n", "a core is busy\n", "predict mlp, 1 rows\n",
                           "product [1,784] [784,300]\n", "compile training of mlp\n", "start, all plugins loaded\n"}) {
    EXPECT_THAT(result.output, HasSubstr(name));
  }
  EXPECT_THAT(result.errors, IsEmpty());
}

TEST_F(Bench, RefusesBeforeWork) {
  const auto expect = [](const ProcessResult& result, int code, const char* text) {
    EXPECT_EQ(result.exit_code, code);
    EXPECT_THAT(result.errors, HasSubstr(text));
    EXPECT_THAT(result.output, IsEmpty());
  };
  expect(Fusebox({"bench", "--threads", "1,x"}), 2, "expected numbers from 1 to 1024 separated by ',', got '1,x'");
  expect(Fusebox({"bench", "--threads", "0"}), 2, "got '0'");
  expect(Fusebox({"bench", "--seconds", "-1"}), 2, "--seconds");
  expect(Fusebox({"bench", "--filter", "["}), 2, "expected a regular expression, got '['");
  expect(Fusebox({"bench", "--filter", "trian"}), 1, "no benchmark's name contains 'trian': --list shows the names");
  expect(Fusebox({"bench", "--json", "/nowhere/b.json"}), 1, "/nowhere");
}

}  // namespace
}  // namespace fusebox::testing
