// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "gmock/gmock.h"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

class CountVerb : public CommandTest {};

TEST_F(CountVerb, SaysHowManyNodesThereAre) {
  std::ofstream(Path("two.fbg")) << "%x = input : f32[3]\n%0 = negate %x : f32[3]\nreturn y = %0\n";
  const ProcessResult result = Fusebox({"count", Path("two.fbg")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, "2 nodes\n");
}

TEST_F(CountVerb, RefusesWrongWordsAndFiles) {
  EXPECT_EQ(Fusebox({"count"}).exit_code, 2);
  const ProcessResult missing = Fusebox({"count", Path("none.fbg")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.errors, HasSubstr("none.fbg"));
}

}  // namespace
}  // namespace fusebox::testing
