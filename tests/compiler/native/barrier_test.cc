// SPDX-License-Identifier: Apache-2.0
// All threads meet, and afterwards each sees what the others wrote before. ThreadSanitizer sees the same accesses.
#include "fusebox/compiler/native/barrier.h"

#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(Barrier, OrdersWhatThreadsWrite) {
  constexpr int64_t kRounds = 100;
  for (const int64_t threads : {1, 2, 3, 4, 8, 16}) {  // More than most machines have cores.
    SCOPED_TRACE(threads);
    RunContext context;
    context.threads = threads;
    std::vector<int64_t> written(static_cast<size_t>(threads)), wrong(static_cast<size_t>(threads));
    const auto work = [&](size_t me) {
      for (int64_t round = 1; round <= kRounds; ++round) {
        written[me] = round;
        WaitForAll(&context);
        for (const int64_t value : written) wrong[me] += value != round;
        WaitForAll(&context);
      }
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < size_t(threads); ++i) others.emplace_back(work, i);
    work(0);
    for (std::thread& other : others) other.join();
    for (const int64_t count : wrong) EXPECT_EQ(count, 0);
    EXPECT_EQ(context.arrived, 0U);
    EXPECT_EQ(context.generation, uint32_t(2 * kRounds));
  }
}

// Threads that wait long sleep, and are woken up.
TEST(Barrier, WakesThoseThatSleep) {
  RunContext context;
  context.threads = 3;
  const auto work = [&](int64_t rest) {
    for (int round = 0; round < 5; ++round) {
      std::this_thread::sleep_for(std::chrono::milliseconds(rest));
      WaitForAll(&context);
    }
  };
  std::thread early(work, 0), late(work, 20);
  work(0);
  early.join();
  late.join();
  EXPECT_EQ(context.generation, 5U);
}

}  // namespace
}  // namespace fusebox
