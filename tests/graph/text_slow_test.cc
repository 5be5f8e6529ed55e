// SPDX-License-Identifier: Apache-2.0
#include "fmt/format.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

TEST(Text, AMillionNodesAreReadAndOneMoreIsRefused) {
  std::string chain = "%x = input : f32[]\n%0 = exp %x : f32[]\n";
  for (int i = 1; i < 999'999; ++i) chain += fmt::format("%{} = tanh %{} : f32[]\n", i, i - 1);
  const absl::StatusOr<Graph> graph = Parse(chain + "return %999998");
  ASSERT_OK(graph);
  EXPECT_EQ(graph->size(), 1'000'001u);

  chain += "%999999 = tanh %999998 : f32[]";
  EXPECT_THAT(Parse(chain), StatusHasMessage("line 1000001: more than 1000000 nodes"));
}

}  // namespace
}  // namespace fusebox::testing
