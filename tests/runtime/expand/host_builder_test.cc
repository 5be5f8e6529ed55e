// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/expand/host_builder.h"

#include "fusebox/graph/control.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

using ::testing::HasSubstr;
using testing::StatusHasMessage;

TEST(HostBuilder, AddsNoLossWithinALoop) {
  HostBuilder b;
  Scan(
      [&](const Values&, const Values& x) -> Scanned {
        b.AddLoss(x[0]);
        return {{}, {x[0]}};
      },
      {}, {b.Input("x", {DType::kF32, {4}})});
  EXPECT_THAT(b.status(),
              StatusHasMessage(HasSubstr("adds to the loss within a loop or branch, which can only return values")));
}

TEST(HostBuilder, KnowsItsOwnValues) {
  HostBuilder host;
  GraphBuilder plain;
  const Value a = host.Input("a", {DType::kF32, {}}), b = plain.Input("b", {DType::kF32, {}});
  EXPECT_EQ(HostBuilder::Of(a), &host);
  EXPECT_EQ(GraphBuilder::Of(a), &host);
  EXPECT_EQ(HostBuilder::Of(b), nullptr);
  EXPECT_EQ(GraphBuilder::Of(b), &plain);
  EXPECT_FALSE((a + b).ok());
}

// The functions of the table that need items, called for a graph without any.
TEST(GraphBuilder, RefusesWhatItemsAskFor) {
  const auto error = [](const auto& call) {
    GraphBuilder b;
    call(b.Input("x", {DType::kF32, {}}));
    return std::string(b.status().message());
  };
  EXPECT_EQ(error([](Value x) { x.api->expand(x.builder, 2, "relu", &x.id, 1, nullptr); }),
            "refers to another item, and none are known here");
  EXPECT_EQ(error([](Value x) { x.api->add_loss(x.builder, x.id); }), "adds to the loss of a graph that has none");
  EXPECT_EQ(error([](Value x) { x.api->set_mask(x.builder, x.id); }),
            "sets the mask of a result where masks are not known");
  EXPECT_EQ(error([](Value x) { EXPECT_EQ(x.api->preimage(x.builder, x.id, "fusebox/relu"), 0u); }), "");
}

}  // namespace
}  // namespace fusebox
