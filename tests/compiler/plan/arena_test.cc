// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/arena.h"

#include <algorithm>
#include <random>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(Arena, ABlockTakesTheLowestPlaceThatIsFree) {
  Arena arena(0);
  const size_t a = arena.Take(256, 0, 1), b = arena.Take(100, 0, 2), c = arena.Take(64, 0, 5);
  EXPECT_EQ(arena[a].offset, 0);
  EXPECT_EQ(arena[b].offset, 256);
  EXPECT_EQ(arena[c].offset, 384) << "blocks are whole cache lines";
  const size_t d = arena.Take(64, 1, 5);
  EXPECT_EQ(arena[d].offset, 448) << "a is in use in phase 1";
  const size_t e = arena.Take(64, 2, 2), f = arena.Take(256, 2, 2);
  EXPECT_EQ(arena[e].offset, 0);
  EXPECT_EQ(arena[f].offset, 512) << "192 bytes are left of a";
  const size_t g = arena.Take(384, 3, 3);
  EXPECT_EQ(arena[g].offset, 0) << "what is free lies side by side: a and b";
  EXPECT_EQ(arena.bytes(), 512 + 256);
}

TEST(Arena, WhatIsExtendedOrKeptStays) {
  Arena arena(0);
  EXPECT_EQ(arena.Keep(100), 0);
  EXPECT_EQ(arena.Keep(64), 128);
  const size_t a = arena.Take(64, 0, 0);
  arena.Extend(a, 2);
  EXPECT_EQ(arena[a].offset, 192);
  EXPECT_EQ(arena[arena.Take(64, 1, 1)].offset, 256);
  EXPECT_EQ(arena[arena.Take(64, 3, 3)].offset, 192);
}

TEST(Arena, GuardsKeepAllApart) {
  Arena arena(4096);
  const int64_t kept = arena.Keep(100);
  const size_t a = arena.Take(8, 0, 0), b = arena.Take(5000, 5, 5);
  ASSERT_EQ(arena.guards().size(), 3u);
  EXPECT_EQ(kept + 100, arena.guards()[0]);
  EXPECT_EQ(arena[a].offset + 8, arena.guards()[1]);
  EXPECT_EQ(arena[b].offset + 5000, arena.guards()[2]);
  for (const int64_t guard : arena.guards()) EXPECT_EQ(guard % 4096, 0);
  EXPECT_EQ(arena.bytes(), arena.guards()[2] + 4096);
}

TEST(Arena, RandomBlocksNeverMeet) {
  std::minstd_rand random(1);
  for (int round = 0; round < 50; ++round) {
    Arena arena(0);
    struct Life {
      size_t block;
      int64_t first;
    };
    std::vector<Life> lives;
    for (int64_t phase = 0; phase < 40; ++phase) {
      for (int i = 0; i < int(random() % 4); ++i) {
        lives.push_back({arena.Take(int64_t(random() % 1000 + 1), phase, phase + int64_t(random() % 6)), phase});
      }
      if (!lives.empty() && random() % 3 == 0) {
        const size_t block = lives[random() % lives.size()].block;
        if (arena[block].last >= phase) arena.Extend(block, arena[block].last + int64_t(random() % 6));
      }
    }
    for (size_t i = 0; i < lives.size(); ++i) {
      const Arena::Block& a = arena[lives[i].block];
      EXPECT_LE(a.offset + a.size, arena.bytes());
      for (size_t j = 0; j < i; ++j) {
        const Arena::Block& b = arena[lives[j].block];
        const bool together = lives[j].first <= a.last && lives[i].first <= b.last;
        ASSERT_FALSE(together && a.offset < b.offset + b.size && b.offset < a.offset + a.size) << i << " " << j;
      }
    }
  }
}

}  // namespace
}  // namespace fusebox
