// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/float_environment.h"

namespace fusebox {
namespace {

constexpr int64_t kMaxThreads = 1024;

std::optional<double> Quota(double quota, double period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// The processor time that a control group grants, in cores: cgroup 2's "max 100000" or "150000 100000".
std::optional<double> QuotaOfGroup(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return std::nullopt;
  return Quota(std::strtod(quota.c_str(), nullptr), period);
}

// The tightest quota on the way from this process's group to the root.
std::optional<double> CoresByControlGroup() {
  std::optional<double> cores;
  const auto tighten = [&](std::optional<double> by) {
    if (by && (!cores || *by < *cores)) cores = by;
  };
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    for (std::string path = line.substr(3);; path.resize(path.rfind('/'))) {
      tighten(QuotaOfGroup("/sys/fs/cgroup" + path));
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  std::ifstream quota_1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), period_1("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (quota_1 >> quota && period_1 >> period) tighten(Quota(quota, period));
  return cores;
}

int64_t UsableCores() {
  cpu_set_t set;
  int64_t cores =
      sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : int64_t(std::thread::hardware_concurrency());
  if (const std::optional<double> quota = CoresByControlGroup()) {
    cores = std::min(cores, int64_t(std::ceil(*quota)));
  }
  return std::clamp<int64_t>(cores, 1, kMaxThreads);
}

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
  const std::lock_guard one(one_at_a_time_);
  const DefaultFloatEnvironment environment;
  if (threads <= 1) return call(work, 0);
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
  if (text == nullptr || *text == '\0') return UsableCores();
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
