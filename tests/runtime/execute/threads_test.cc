// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/threads.h"

#include <cstdlib>

#include "fusebox/compiler/compiler.h"
#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::HasSubstr;

TEST(DefaultThreads, IsWhatTheEnvironmentSays) {
  setenv("FUSEBOX_NUM_THREADS", "3", 1);
  EXPECT_EQ(*DefaultThreads(), 3);
  for (const char* wrong : {"0", "-1", "two", "3x", "99999"}) {
    setenv("FUSEBOX_NUM_THREADS", wrong, 1);
    EXPECT_THAT(std::string(DefaultThreads().status().message()),
                HasSubstr("FUSEBOX_NUM_THREADS: expected a number from 1 to 1024, got '" + std::string(wrong) + "'"));
  }
  unsetenv("FUSEBOX_NUM_THREADS");
  EXPECT_GE(*DefaultThreads(), 1);
}

TEST(ThreadsFor, IsWhatWasAskedForOrTheDefault) {
  EXPECT_EQ(*ThreadsFor(1), 1);
  EXPECT_EQ(*ThreadsFor(1024), 1024);
  EXPECT_EQ(*ThreadsFor(0), *DefaultThreads());
  for (const int64_t wrong : {-1, 1025}) {
    EXPECT_EQ(std::string(ThreadsFor(wrong).status().message()),
              "threads: expected a number from 1 to 1024, got " + std::to_string(wrong));
  }
}

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
