// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/useful_threads.h"

#include "gtest/gtest.h"

namespace fusebox {
namespace {

CompileReport Report(double flops, double bytes, int64_t barriers) {
  CompileReport report;
  report.kernels.resize(2);
  report.kernels[0].flops = flops;
  report.kernels[1].bytes = bytes;
  report.barriers = barriers;
  return report;
}

TEST(UsefulThreads, OneWhereBarriersWouldCostMore) {
  // A step of 8 - 30 - 30 - 1 on 32 rows.
  EXPECT_EQ(UsefulThreads(Report(230e3, 60e3, 6)), 1);
  EXPECT_EQ(UsefulThreads(Report(0, 0, 0)), 1);
}

TEST(UsefulThreads, AsManyAsHaveEnoughToDo) {
  EXPECT_EQ(UsefulThreads(Report(4 * 2e-6 * 40e9, 0, 1)), 4);
  EXPECT_EQ(UsefulThreads(Report(4 * 2e-6 * 40e9, 0, 2)), 2);
  EXPECT_EQ(UsefulThreads(Report(0, 8 * 2e-6 * 20e9, 2)), 4);
  // Of 784 - 300 - 100 - 10 on 32 rows.
  EXPECT_GE(UsefulThreads(Report(37e6, 4e6, 7)), 64);
}

}  // namespace
}  // namespace fusebox
