// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/precedence.h"

#include <random>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(Precedence, LevelsAreTheLongestWayDown) {
  Precedence order;
  for (int k = 0; k < 5; ++k) order.Add();
  order.Need(1, 0);
  order.Need(2, 1);
  order.Need(4, 3);
  EXPECT_EQ(order.level(2), 2u);
  EXPECT_EQ(order.level(4), 1u);
  order.Need(3, 2);  // Nodes that need 3 are lifted, too.
  EXPECT_EQ(order.level(4), 4u);
  EXPECT_TRUE(order.Needs(4, 0));
  EXPECT_FALSE(order.Needs(0, 4));
  EXPECT_TRUE(order.Needs(3, 3));
  EXPECT_FALSE(order.HasCircle());
  order.Need(0, 4);
  EXPECT_TRUE(order.HasCircle());
}

TEST(Precedence, NeedsMayBeReplaced) {
  Precedence order;
  for (int k = 0; k < 3; ++k) order.Add();
  order.Need(2, 1);
  order.SetNeeds(2, {0});
  EXPECT_TRUE(order.Needs(2, 0));
  EXPECT_FALSE(order.Needs(2, 1));
}

// Compares with a table of reachability.
TEST(Precedence, AgreesWithTheTransitiveClosure) {
  std::minstd_rand random(1);
  for (int round = 0; round < 50; ++round) {
    constexpr size_t kCount = 12;
    Precedence order;
    bool reaches[kCount][kCount] = {};
    for (size_t k = 0; k < kCount; ++k) {
      order.Add();
      reaches[k][k] = true;
    }
    for (int edge = 0; edge < 25; ++edge) {
      const size_t from = random() % kCount, to = random() % kCount;
      if (reaches[to][from]) continue;
      order.Need(from, to);
      for (size_t i = 0; i < kCount; ++i) {
        for (size_t j = 0; j < kCount; ++j) reaches[i][j] = reaches[i][j] || (reaches[i][from] && reaches[to][j]);
      }
      for (size_t i = 0; i < kCount; ++i) {
        for (size_t j = 0; j < kCount; ++j) ASSERT_EQ(order.Needs(i, j), reaches[i][j]) << i << " " << j;
      }
    }
    EXPECT_FALSE(order.HasCircle());
  }
}

}  // namespace
}  // namespace fusebox
