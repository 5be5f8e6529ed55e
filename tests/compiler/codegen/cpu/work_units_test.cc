// SPDX-License-Identifier: Apache-2.0
// Which units belong to which thread, computed by the emitted code: with constants, the builder folds it.
#include "fusebox/compiler/codegen/cpu/work_units.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fusebox::codegen {
namespace {

using ::testing::ElementsAre;

struct Numbers {
  int64_t count = 0, light = 0, work = 1, light_work = 1, group = 1;
};

// The first unit of each thread, and the end of the last one.
std::vector<int64_t> Cuts(const Numbers& numbers, int64_t threads) {
  llvm::LLVMContext context;
  llvm::Module module("units", context);
  Ir ir(module);
  ir.Begin("f", ir.b.getVoidTy(), {}, true);
  const WorkUnits units = {.count = ir.I64(numbers.count),
                           .light = numbers.light,
                           .work = numbers.work,
                           .light_work = numbers.light_work,
                           .group = numbers.group};
  std::vector<int64_t> cuts;
  for (int64_t thread = 0; thread <= threads; ++thread) {
    const auto* cut = llvm::dyn_cast<llvm::ConstantInt>(UnitsBefore(ir, units, ir.I64(thread), ir.I64(threads)));
    cuts.push_back(cut != nullptr ? cut->getSExtValue() : -1);
  }
  return cuts;
}

TEST(WorkUnits, OfEqualWorkAreSharedEvenly) {
  EXPECT_THAT(Cuts({.count = 10}, 1), ElementsAre(0, 10));
  EXPECT_THAT(Cuts({.count = 10}, 4), ElementsAre(0, 2, 5, 7, 10));
  EXPECT_THAT(Cuts({.count = 1}, 3), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(Cuts({.count = 0}, 2), ElementsAre(0, 0, 0));
}

TEST(WorkUnits, LightOnesCountLess) {
  // 30 units: 24 of 24, six of 18. Half of the work is 342.
  EXPECT_THAT(Cuts({.count = 30, .light = 6, .work = 24, .light_work = 18}, 2), ElementsAre(0, 14, 30));
}

TEST(WorkUnits, GroupsStayTogetherIfTheyAreNearlyEven) {
  // Four panels of seven tiles, the last one narrower: two for each of two threads, though half would be 13 tiles.
  const Numbers even = {.count = 28, .light = 7, .work = 25, .light_work = 20, .group = 7};
  EXPECT_THAT(Cuts(even, 2), ElementsAre(0, 14, 28));
  EXPECT_THAT(Cuts(even, 4), ElementsAre(0, 7, 14, 21, 28));
  // Three threads cannot share four panels in whole panels of a third of the work each, nor can two threads halve five.
  EXPECT_THAT(Cuts(even, 3), ElementsAre(0, 8, 17, 28));
  EXPECT_THAT(Cuts({.count = 30, .light = 6, .work = 24, .light_work = 18, .group = 6}, 2), ElementsAre(0, 14, 30));
}

// For any numbers: the cuts go from none to all, never decrease, and are as even as promised.
TEST(WorkUnits, CoverAllUnits) {
  for (const int64_t group : {1, 2, 7, 64}) {
    for (const int64_t groups : {1, 2, 3, 5, 16, 100}) {
      for (const int64_t light_work : {1, 5, 25, 30}) {
        const Numbers n = {
            .count = group * groups, .light = group, .work = 30, .light_work = light_work, .group = group};
        const int64_t heavy = n.count - n.light, all = heavy * n.work + n.light * n.light_work;
        const auto work_before = [&](int64_t unit) {
          return std::min(unit, heavy) * n.work + std::max<int64_t>(unit - heavy, 0) * n.light_work;
        };
        for (const int64_t threads : {1, 2, 3, 4, 16, 200}) {
          const std::vector<int64_t> cuts = Cuts(n, threads);
          EXPECT_EQ(cuts.front(), 0);
          EXPECT_EQ(cuts.back(), n.count);
          for (int64_t t = 0; t < threads; ++t) {
            ASSERT_LE(cuts[size_t(t)], cuts[size_t(t) + 1]) << group << " x " << groups << ", threads " << threads;
            const int64_t own = work_before(cuts[size_t(t) + 1]) - work_before(cuts[size_t(t)]);
            ASSERT_LE(own, all * 17 / (16 * threads) + n.work) << group << " x " << groups << ", threads " << threads;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace fusebox::codegen
