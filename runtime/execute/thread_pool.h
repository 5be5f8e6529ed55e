// SPDX-License-Identifier: Apache-2.0
// The threads that run compiled programs. During a call they meet at the barriers in the compiled code. After it they
// stay awake for some tens of microseconds, in case another call follows, and then sleep.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fusebox {

class ThreadPool {
 public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // The process's pool, which all models share. A process that fork() has made gets one of its own, as the threads of its
  // parent are not in it. fork() waits for a call that another thread has made, so that no model is caught in a step.
  static ThreadPool& Global();

  // Makes workers for calls of this many threads. Returns how many threads a call can have: fewer, with a warning, if the
  // system gives no more.
  int64_t Grow(int64_t threads);

  // Calls work(0) on the calling thread and work(1) ... work(threads - 1) on workers, all at once, and returns when all
  // are done. Ask Grow first. Every thread has the floating-point environment of programs (float_environment.h).
  // Allocates only when more threads are asked for than ever before. Calls from several threads wait for each other, so that at no time
  // more threads are at work than one call has asked for. A call for one thread runs on the calling thread and waits
  // for no other call.
  template <class Work>
  void Run(int64_t threads, Work&& work) {
    RunErased(
        threads, [](void* w, int64_t thread) { (*static_cast<std::remove_reference_t<Work>*>(w))(thread); }, &work);
  }

  int64_t workers() const { return int64_t(workers_.size()); }

 private:
  using Call = void (*)(void* work, int64_t thread);
  struct alignas(64) Worker {  // On a cache line of its own: a worker that waits does not disturb its neighbours.
    std::atomic<uint32_t> round = 0;
    std::thread thread;
  };
  void RunErased(int64_t threads, Call call, void* work);
  static void Wake(Worker& worker);
  void Work(Worker& me, int64_t thread);

  int64_t GrowLocked(int64_t threads);
  static const int follows_forks_;

  std::mutex one_at_a_time_;
  bool warned_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Written before a worker's round, read after it; a null call ends the worker.
  Call call_ = nullptr;
  void* work_ = nullptr;
  alignas(64) std::atomic<uint32_t> running_ = 0;  // Workers that are not done.
};

}  // namespace fusebox
