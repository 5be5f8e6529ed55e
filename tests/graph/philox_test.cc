// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/philox.h"

#include "gtest/gtest.h"

namespace fusebox {
namespace {

// The known answers of the Random123 library (kat_vectors, philox4x32 10).
TEST(Philox, GivesThePublishedNumbers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, CounterAndKeyOfARandomNode) {
  EXPECT_EQ(RandomWords(0x299f31d0'a4093822, 0x13198a2e, 0x03707344, 0x85a308d3'243f6a88),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  // Only the low half of the step counts.
  EXPECT_EQ(RandomWords(1, 5, 2, 3), RandomWords(1, 5 + (int64_t{1} << 32), 2, 3));
}

TEST(Philox, UniformNumbersLieBelowOne) {
  EXPECT_EQ(UniformF32({0, 0, 0, 0}), 0.0f);
  EXPECT_EQ(UniformF32({~0u, 0, 0, 0}), 1.0f - 0x1p-24f);
  EXPECT_EQ(UniformF32({0x80000000, 0, 0, 0}), 0.5f);
  EXPECT_EQ(UniformF64({~0u, ~0u, 0, 0}), 1.0 - 0x1p-53);
  EXPECT_EQ(UniformF64({0x80000000, 0, 0, 0}), 0.5);
  EXPECT_EQ(UniformF64({0, 64, 0, 0}), 0x1p-53);
}

}  // namespace
}  // namespace fusebox
