// SPDX-License-Identifier: Apache-2.0
// The threads that run compiled programs. Between calls they sleep; inside a call they meet at the barriers that the
// compiled code brings along.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

namespace fusebox {

class ThreadPool {
 public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // The one that all models of the process share.
  static ThreadPool& Global();

  // Calls work(0) on the calling thread and work(1) ... work(threads - 1) on others, all at once, and returns when each
  // is done. Every thread has the default floating-point environment (round to nearest, denormals kept). Allocates only
  // when more threads are asked for than ever before. Calls from several threads wait for each other, so that together they
  // never keep more threads at work than one of them has asked for; but a call for one thread is the caller's own, and
  // waits for nobody.
  template <class Work>
  void Run(int64_t threads, Work&& work) {
    RunErased(
        threads, [](void* w, int64_t thread) { (*static_cast<std::remove_reference_t<Work>*>(w))(thread); }, &work);
  }

  int64_t workers() const { return int64_t(workers_.size()); }

 private:
  using Call = void (*)(void* work, int64_t thread);
  void RunErased(int64_t threads, Call call, void* work);
  void Worker(int64_t thread);

  std::mutex one_at_a_time_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  // What follows is guarded by mutex_.
  Call call_ = nullptr;
  void* work_ = nullptr;
  int64_t threads_ = 0, running_ = 0;
  uint64_t round_ = 0;
  bool leave_ = false;
};

// How many threads a model uses unless told: FUSEBOX_NUM_THREADS if it is set, else the cores that this process may use,
// by its affinity and its control group. Error: FUSEBOX_NUM_THREADS is no number from 1 to 1024.
absl::StatusOr<int64_t> DefaultThreads();
// How many threads to use where so many were asked for: 0 is the default. Error: a number beyond 1024, or below 0.
absl::StatusOr<int64_t> ThreadsFor(int64_t asked);

}  // namespace fusebox
