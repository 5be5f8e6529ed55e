// SPDX-License-Identifier: Apache-2.0
// Sets a word ten times a second, so that the compiled program returns and the progress bar can be drawn.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace fusebox {

class YieldTimer {
 public:
  // Does nothing unless `on`.
  YieldTimer(std::atomic<uint32_t>& word, bool on) {
    if (!on) return;
    try {
      thread_ = std::thread([this, &word] { Tick(word); });
    } catch (const std::system_error&) {
      // The system gives no thread: the bar is drawn at the epoch's end alone.
    }
  }
  ~YieldTimer() {
    {
      const std::lock_guard lock(mutex_);
      leave_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  YieldTimer(const YieldTimer&) = delete;
  YieldTimer& operator=(const YieldTimer&) = delete;

 private:
  void Tick(std::atomic<uint32_t>& word) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return leave_; })) {
      word.store(1, std::memory_order_relaxed);
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool leave_ = false;
  std::thread thread_;
};

}  // namespace fusebox
