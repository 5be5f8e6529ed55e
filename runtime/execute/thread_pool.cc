// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <functional>
#include <system_error>
#include <utility>

#include "fusebox/compiler/native/spin.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/execute/float_environment.h"

namespace fusebox {

namespace {

// Never destroyed: a thread may still run when main has returned.
std::atomic<ThreadPool*> global = new ThreadPool;

}  // namespace

// Registered before any thread can be at work. The child has none of the workers, and no other thread; what its parent's
// pool holds is left as it is.
[[maybe_unused]] const int ThreadPool::follows_forks_ =
    ::pthread_atfork([] { global.load()->one_at_a_time_.lock(); }, [] { global.load()->one_at_a_time_.unlock(); },
                     [] { global.store(new ThreadPool); });

ThreadPool& ThreadPool::Global() { return *global.load(); }

ThreadPool::~ThreadPool() {
  call_ = nullptr;
  for (const auto& worker : workers_) Wake(*worker);
  for (const auto& worker : workers_) worker->thread.join();
}

void ThreadPool::RunErased(int64_t threads, Call call, void* work) {
  const FloatEnvironment environment;
  if (threads <= 1) return call(work, 0);
  const std::lock_guard one(one_at_a_time_);
  Check(GrowLocked(threads) == threads, "a call has more threads than Grow has said");
  call_ = call;
  work_ = work;
  running_.store(uint32_t(threads - 1), std::memory_order_relaxed);
  for (int64_t i = 0; i < threads - 1; ++i) Wake(*workers_[size_t(i)]);
  call(work, 0);
  for (uint32_t n; (n = running_.load(std::memory_order_acquire)) != 0;) {
    if (!SpinWhile(running_, n)) running_.wait(n, std::memory_order_acquire);
  }
}

int64_t ThreadPool::Grow(int64_t threads) {
  if (threads <= 1) return threads;
  const std::lock_guard one(one_at_a_time_);
  return GrowLocked(threads);
}

int64_t ThreadPool::GrowLocked(int64_t threads) {
  workers_.reserve(size_t(threads - 1));
  try {
    while (workers() < threads - 1) {
      auto worker = std::make_unique<Worker>();
      worker->thread = std::thread(&ThreadPool::Work, this, std::ref(*worker), workers() + 1);
      workers_.push_back(std::move(worker));
    }
  } catch (const std::system_error& error) {
    if (!std::exchange(warned_, true))
      Warn("the system gives no more than {} of {} threads: {}", workers() + 1, threads, error.what());
  }
  return std::min(threads, workers() + 1);
}

// Sequentially consistent with the sleepers' own accesses, as is the last worker's fetch_sub below. Otherwise a thread
// could fall asleep just after the last wake-up.
void ThreadPool::Wake(Worker& worker) {
  worker.round.fetch_add(1, std::memory_order_seq_cst);
  worker.round.notify_one();
}

void ThreadPool::Work(Worker& me, int64_t thread) {
  const FloatEnvironment environment;
  for (uint32_t seen = 0;; ++seen) {
    if (!SpinWhile(me.round, seen)) me.round.wait(seen, std::memory_order_acquire);
    if (call_ == nullptr) return;
    call_(work_, thread);
    if (running_.fetch_sub(1, std::memory_order_seq_cst) == 1) running_.notify_one();
  }
}

}  // namespace fusebox
