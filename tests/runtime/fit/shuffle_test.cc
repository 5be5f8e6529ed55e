// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/shuffle.h"

#include <algorithm>
#include <map>
#include <vector>

#include "gmock/gmock.h"

namespace fusebox {
namespace {

std::vector<int32_t> Shuffled(size_t size, int64_t seed, int64_t epoch) {
  std::vector<int32_t> order(size);
  FillShuffled(order, seed, epoch);
  return order;
}

TEST(Shuffle, IsAPermutation) {
  for (const size_t size : {0, 1, 2, 1000}) {
    std::vector<int32_t> order = Shuffled(size, 42, 0), expected(size);
    std::ranges::sort(order);
    FillInOrder(expected);
    EXPECT_EQ(order, expected);
  }
}

TEST(Shuffle, DependsOnSeedAndEpochAlone) {
  EXPECT_EQ(Shuffled(100, 42, 3), Shuffled(100, 42, 3));
  EXPECT_NE(Shuffled(100, 42, 3), Shuffled(100, 42, 4));
  EXPECT_NE(Shuffled(100, 42, 3), Shuffled(100, 43, 3));
}

// 24 permutations, 24000 draws: each occurs about 1000 times, with a standard deviation of 31.
TEST(Shuffle, GivesEachOrderEquallyOften) {
  std::map<std::vector<int32_t>, int> count;
  for (int64_t epoch = 0; epoch < 24000; ++epoch) ++count[Shuffled(4, 7, epoch)];
  EXPECT_EQ(count.size(), 24u);
  for (const auto& [order, times] : count) EXPECT_NEAR(times, 1000, 160);
}

}  // namespace
}  // namespace fusebox
