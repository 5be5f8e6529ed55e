// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/thread_pool.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <vector>

#include "gtest/gtest.h"
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace fusebox {
namespace {

TEST(ThreadPool, CallsEachThreadOnceAndWaitsForAll) {
  ThreadPool pool;
  for (const int64_t threads : {1, 2, 5, 3, 5}) {
    std::vector<std::atomic<int>> calls = std::vector<std::atomic<int>>(size_t(threads));
    pool.Run(threads, [&](int64_t thread) { ++calls[size_t(thread)]; });
    for (const auto& n : calls) EXPECT_EQ(n, 1);
  }
  EXPECT_EQ(pool.workers(), 4);
}

TEST(ThreadPool, RunsThemAtOnce) {
  ThreadPool pool;
  std::atomic<int> arrived = 0;
  pool.Run(3, [&](int64_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();  // Ends only if all three are here.
  });
  EXPECT_EQ(arrived, 3);
}

TEST(ThreadPool, ServesSeveralCallers) {
  ThreadPool pool;
  std::atomic<int> calls = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) pool.Run(2, [&](int64_t) { ++calls; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(calls, 4 * 100 * 2);
}

// A server that has used its model forks its workers.
TEST(ThreadPool, AForkedProcessHasAPoolOfItsOwn) {
  std::atomic<int> calls = 0;
  ThreadPool::Global().Run(3, [&](int64_t) { ++calls; });
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ThreadPool::Global().Run(3, [&](int64_t) { ++calls; });
    ::_exit(calls == 6 && ThreadPool::Global().workers() == 2 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ThreadPool::Global().Run(3, [&](int64_t) { ++calls; });
  EXPECT_EQ(calls, 6);
}

// Where the system gives no more threads, fewer do the work.
TEST(ThreadPool, MakesDoWithTheThreadsThatThereAre) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user, who has no threads yet, is taken by root alone";
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    const rlimit limit = {3, 3};
    if (::setgid(65533) != 0 || ::setuid(65533) != 0 || ::setrlimit(RLIMIT_NPROC, &limit) != 0) ::_exit(2);
    ThreadPool pool;
    const int64_t threads = pool.Grow(8);
    std::atomic<int64_t> calls = 0;
    pool.Run(threads, [&](int64_t) { ++calls; });
    ::_exit(threads >= 1 && threads <= 3 && calls == threads ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// While another thread has calls running, fork() waits for the end of one.
TEST(ThreadPool, ForksBetweenCalls) {
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop) ThreadPool::Global().Run(2, [](int64_t) {});
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);
      std::atomic<int> calls = 0;
      ThreadPool::Global().Run(2, [&](int64_t) { ++calls; });
      ::_exit(calls == 2 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  stop = true;
  busy.join();
}

// However many callers there are at once, no more threads work than the largest request.
TEST(ThreadPool, SeveralCallersDoNotOversubscribe) {
  ThreadPool pool;
  std::atomic<int> at_work = 0, most = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        pool.Run(3, [&](int64_t) {
          const int now = ++at_work;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          std::this_thread::yield();
          --at_work;
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(pool.workers(), 2);
}

// A caller that needs no other thread does not wait for callers that do.
TEST(ThreadPool, SingleThreadedCallsDoNotWait) {
  ThreadPool pool;
  std::atomic<bool> inside = false, leave = false;
  std::thread other([&] {
    pool.Run(2, [&](int64_t) {
      inside = true;
      while (!leave) std::this_thread::yield();
    });
  });
  while (!inside) std::this_thread::yield();
  int calls = 0;
  pool.Run(1, [&](int64_t) { ++calls; });
  EXPECT_EQ(calls, 1);
  leave = true;
  other.join();
}

TEST(ThreadPool, MoreThreadsThanCores) {
  ThreadPool pool;
  for (int64_t threads = 1; threads <= 16; ++threads) {
    std::atomic<int64_t> sum = 0;
    for (int i = 0; i < 20; ++i) pool.Run(threads, [&](int64_t thread) { sum += thread + 1; });
    EXPECT_EQ(sum, 20 * threads * (threads + 1) / 2);
  }
  EXPECT_EQ(pool.workers(), 15);
}

// Calls that are far apart find sleeping workers, and a caller with slow workers sleeps, too; each is woken up.
TEST(ThreadPool, WakesThoseThatSleep) {
  ThreadPool pool;
  for (const int64_t late : {0, 1, 2}) {
    std::atomic<int> calls = 0;
    pool.Run(3, [&](int64_t thread) {
      if (thread == late) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++calls;
    });
    EXPECT_EQ(calls, 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Idle workers stay awake only for a moment, then leave the cores to others.
TEST(ThreadPool, SleepsBetweenCalls) {
  ThreadPool pool;
  pool.Run(4, [](int64_t) {});
  const std::clock_t before = std::clock();  // CPU time of all threads of the process.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(std::clock() - before,
            CLOCKS_PER_SEC / 20);  // Spinning, the three would use 0.6 s, or 0.2 s of one core.
}

#ifdef __SSE2__
// Denormals are flushed to zero in every thread, whatever the caller's mode; the caller's mode is restored afterwards.
TEST(ThreadPool, FlushesDenormals) {
  for (const unsigned flush : {0x0000U, 0x8040U}) {
    const unsigned before = _mm_getcsr(), callers = (before & ~0x8040U) | flush;
    _mm_setcsr(callers);
    ThreadPool pool;
    std::atomic<int> made = 0, read = 0;
    pool.Run(3, [&](int64_t) {
      volatile float tiny = 1e-38f, denormal = 1e-40f;
      if (tiny * 0.01f != 0) ++made;
      if (denormal * 1e10f != 0) ++read;
    });
    EXPECT_EQ(made, 0);
    EXPECT_EQ(read, 0);
    EXPECT_EQ(_mm_getcsr(), callers);
    _mm_setcsr(before);
  }
}
#endif

}  // namespace
}  // namespace fusebox
