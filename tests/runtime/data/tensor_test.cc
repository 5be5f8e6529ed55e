// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/tensor.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::ElementsAre;

TEST(Tensor, OwnsZeros) {
  const Tensor t(DType::kF32, {2, 3});
  EXPECT_EQ(t.size(), 6);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(t.raw()) % 64, 0u);
  EXPECT_THAT(t.values<float>(), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(Tensor, LargeOnesBeginAHugePage) {
  const Tensor t(DType::kF32, {3, 300'000});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(t.raw()) % (2 << 20), 0u);
  EXPECT_EQ(t.values<float>().back(), 0);
}

TEST(Tensor, BorrowsWithoutACopy) {
  const float data[] = {1, 2, 3, 4, 5, 6};
  const Tensor t = Tensor::Borrow(DType::kF32, {3, 2}, data);
  EXPECT_EQ(t.raw(), data);
  EXPECT_EQ(t.Rows(1, 3).raw(), data + 2);
  EXPECT_EQ(t.Cast(DType::kF32).raw(), data);
  EXPECT_THAT(t.Rows(1, 2).values<float>(), ElementsAre(3, 4));
}

TEST(Tensor, CastsEachNumber) {
  const uint8_t bytes[] = {0, 1, 255};
  const Tensor t = Tensor::Borrow(DType::kU8, {3}, bytes);
  EXPECT_THAT(t.Cast(DType::kF32).values<float>(), ElementsAre(0, 1, 255));
  EXPECT_THAT(t.Cast(DType::kBool).values<bool>(), ElementsAre(false, true, true));
}

TEST(Tensor, ReshapesOnlyToTheSameSize) {
  const Tensor t(DType::kI32, {2, 3});
  EXPECT_EQ(t.Reshape({6})->raw(), t.raw());
  EXPECT_FALSE(t.Reshape({5}).ok());
}

}  // namespace
}  // namespace fusebox
