// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/thread_pool.h"

#include <functional>

#include "fusebox/compiler/native/spin.h"
#include "fusebox/runtime/execute/float_environment.h"

namespace fusebox {

ThreadPool& ThreadPool::Global() {
  static ThreadPool* const pool = new ThreadPool;  // Never destroyed: a thread may still run when main has returned.
  return *pool;
}

ThreadPool::~ThreadPool() {
  call_ = nullptr;
  for (const auto& worker : workers_) Wake(*worker);
  for (const auto& worker : workers_) worker->thread.join();
}

void ThreadPool::RunErased(int64_t threads, Call call, void* work) {
  const FloatEnvironment environment;
  if (threads <= 1) return call(work, 0);
  const std::lock_guard one(one_at_a_time_);
  while (workers() < threads - 1) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>());
    worker.thread = std::thread(&ThreadPool::Work, this, std::ref(worker), workers());
  }
  call_ = call;
  work_ = work;
  running_.store(uint32_t(threads - 1), std::memory_order_relaxed);
  for (int64_t i = 0; i < threads - 1; ++i) Wake(*workers_[size_t(i)]);
  call(work, 0);
  for (uint32_t n; (n = running_.load(std::memory_order_acquire)) != 0;) {
    if (!SpinWhile(running_, n)) running_.wait(n, std::memory_order_acquire);
  }
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
