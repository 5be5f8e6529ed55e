// SPDX-License-Identifier: Apache-2.0
// What a program compiled with CompileOptions::profile records: which thread ran which kernel, and when.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace fusebox {

struct ProfileEvent {
  int64_t kernel;      // Index into CompileReport::kernels; kWaiting: at a barrier; kPacking: before or after steps.
  int64_t begin, end;  // Nanoseconds of a clock that only goes forward.
};

class Profile {
 public:
  static constexpr int64_t kWaiting = -1, kPacking = -2;

  // Keeps the first `capacity` events of each thread. Takes all memory here, so that recording allocates nothing.
  Profile(int64_t threads, int64_t capacity) : capacity_(size_t(capacity)), events_(size_t(threads)) {
    for (auto& events : events_) events.reserve(capacity_);
  }

  static int64_t Now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

  // Called by the thread itself.
  void Record(int64_t thread, int64_t kernel, int64_t begin) {
    std::vector<ProfileEvent>& events = events_[size_t(thread)];
    if (events.size() < capacity_) events.push_back({kernel, begin, Now()});
  }

  int64_t threads() const { return int64_t(events_.size()); }
  std::span<const ProfileEvent> events(int64_t thread) const { return events_[size_t(thread)]; }
  void Clear() {
    for (auto& events : events_) events.clear();
  }

 private:
  size_t capacity_;
  std::vector<std::vector<ProfileEvent>> events_;
};

}  // namespace fusebox
