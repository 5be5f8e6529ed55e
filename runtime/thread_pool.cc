// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/thread_pool.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/float_environment.h"
#include "fusebox/runtime/usable_cores.h"

namespace fusebox {
namespace {

constexpr int64_t kMaxThreads = 1024;

}  // namespace

ThreadPool& ThreadPool::Global() {
  static ThreadPool* const pool = new ThreadPool;  // Never destroyed: a thread may still run when main has returned.
  return *pool;
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::RunErased(int64_t threads, Call call, void* work) {
  const DefaultFloatEnvironment environment;
  if (threads <= 1) return call(work, 0);
  const std::lock_guard one(one_at_a_time_);
  {
    const std::lock_guard lock(mutex_);
    call_ = call;
    work_ = work;
    threads_ = threads;
    running_ = threads - 1;
    ++round_;
  }
  // A new worker looks for work before it sleeps, so it takes part in this round.
  while (workers() < threads - 1) workers_.emplace_back(&ThreadPool::Worker, this, workers() + 1);
  wake_.notify_all();
  call(work, 0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  threads_ = 0;
}

void ThreadPool::Worker(int64_t thread) {
  const DefaultFloatEnvironment environment;
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return leave_ || (round_ != seen && thread < threads_); });
    if (leave_) return;
    seen = round_;
    const Call call = call_;
    void* const work = work_;
    lock.unlock();
    call(work, thread);
    lock.lock();
    if (--running_ == 0) done_.notify_one();
  }
}

absl::StatusOr<int64_t> DefaultThreads() {
  const char* text = std::getenv("FUSEBOX_NUM_THREADS");
  if (text == nullptr || *text == '\0') return std::min(UsableCores(), kMaxThreads);
  const std::string_view digits = text;
  int64_t threads = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), threads);
  if (error != std::errc() || end != digits.data() + digits.size() || threads < 1 || threads > kMaxThreads) {
    return Refuse("FUSEBOX_NUM_THREADS: expected a number from 1 to {}, got '{}'", kMaxThreads, digits);
  }
  return threads;
}

absl::StatusOr<int64_t> ThreadsFor(int64_t asked) {
  if (asked == 0) return DefaultThreads();
  if (asked < 0 || asked > kMaxThreads) {
    return Refuse("threads: expected a number from 1 to {}, got {}", kMaxThreads, asked);
  }
  return asked;
}

}  // namespace fusebox
