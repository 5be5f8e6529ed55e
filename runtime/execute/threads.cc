// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/threads.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/execute/usable_cores.h"

namespace fusebox {
namespace {

constexpr int64_t kMaxThreads = 1024;

// Roughly what one core does in kernels that are too small for its peak; and how long a thread should be busy between
// two barriers, each of which takes some tenths of that.
constexpr double kFlopsASecond = 40e9, kBytesASecond = 20e9;
constexpr double kSecondsOfAPhase = 2e-6;

// A thread that loses its core loses it for some milliseconds. A try with all threads costs about as much.
constexpr double kShortest = 0.01, kLongest = 0.32;

}  // namespace

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

int64_t UsefulThreads(const CompileReport& report) {
  double seconds = 0;
  for (const KernelReport& kernel : report.kernels) {
    seconds += std::max(kernel.flops / kFlopsASecond, kernel.bytes / kBytesASecond);
  }
  const double phases = double(std::max<int64_t>(report.barriers, 1));
  return std::max<int64_t>(int64_t(std::min(seconds / (phases * kSecondsOfAPhase), 1e9)), 1);
}

Crowding::Span Crowding::Next(int64_t threads, int64_t steps) const {
  if (fewer_ == 0 || threads <= 1) return {threads, steps};
  const double most = step_seconds_ > 0 ? std::ceil(left_ / step_seconds_) : 1;
  return {std::max<int64_t>(threads - fewer_, 1), most < double(steps) ? std::max<int64_t>(int64_t(most), 1) : steps};
}

void Crowding::Ran(int64_t steps, double seconds, bool late) {
  if (steps > 0) step_seconds_ = seconds / double(steps);
  if (late) {
    ++fewer_;
    patience_ = std::clamp(2 * patience_, kShortest, kLongest);
    left_ = patience_;
    calm_ = 0;
  } else if (fewer_ > 0) {
    left_ -= seconds;
    if (left_ <= 0) fewer_ = 0;
  } else {
    calm_ += seconds;
    if (calm_ >= patience_) patience_ = 0;
  }
}

}  // namespace fusebox
