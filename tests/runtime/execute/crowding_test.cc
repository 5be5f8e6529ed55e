// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/crowding.h"

#include "gtest/gtest.h"

namespace fusebox {
namespace {

using Span = Crowding::Span;

TEST(Crowding, AllThreadsDoAllStepsWhileNoneIsLate) {
  Crowding crowding;
  EXPECT_EQ(crowding.Next(4, 1000), (Span{4, 1000}));
  crowding.Ran(1000, 0.5, false);
  EXPECT_EQ(crowding.Next(4, 1000), (Span{4, 1000}));
}

// Uses one thread fewer for 10 ms, which is 10 of these steps, then all again.
TEST(Crowding, OneThreadFewerForAWhileWhenOneIsLate) {
  Crowding crowding;
  crowding.Ran(5, 0.005, true);
  EXPECT_EQ(crowding.Next(4, 1000), (Span{3, 10}));
  EXPECT_EQ(crowding.Next(4, 7), (Span{3, 7}));
  crowding.Ran(10, 0.011, false);
  EXPECT_EQ(crowding.Next(4, 1000), (Span{4, 1000}));
}

TEST(Crowding, EachLateOneLeavesOneFewerButTheLast) {
  Crowding crowding;
  crowding.Ran(1, 0.001, true);
  crowding.Ran(1, 0.001, true);
  EXPECT_EQ(crowding.Next(4, 1000).threads, 2);
  for (int i = 0; i < 5; ++i) crowding.Ran(1, 0.001, true);
  EXPECT_EQ(crowding.Next(4, 1000).threads, 1);
  EXPECT_EQ(crowding.Next(1, 1000), (Span{1, 1000}));
}

TEST(Crowding, TriesBecomeRareWhileItGoesOnAndFrequentAgainWhenItIsOver) {
  Crowding crowding;
  int64_t before = 0;
  for (const int64_t steps : {10, 20, 40, 80, 160, 320, 320}) {
    crowding.Ran(1, 0.001, true);
    EXPECT_EQ(crowding.Next(2, 100000), (Span{1, steps}));
    EXPECT_GE(steps, before);
    before = steps;
    crowding.Ran(steps, 0.001 * double(steps + 1), false);
    EXPECT_EQ(crowding.Next(2, 100000).threads, 2);
  }
  crowding.Ran(400, 0.4, false);
  crowding.Ran(1, 0.001, true);
  EXPECT_EQ(crowding.Next(2, 100000), (Span{1, 10}));
}

// Runs a single step if its duration is still unknown.
TEST(Crowding, StepsOfUnknownLengthGoOneByOne) {
  Crowding crowding;
  crowding.Ran(0, 0, true);
  EXPECT_EQ(crowding.Next(2, 100), (Span{1, 1}));
}

}  // namespace
}  // namespace fusebox
