// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/crowding.h"

#include <algorithm>
#include <cmath>

namespace fusebox {
namespace {

// A thread loses its core for some milliseconds. A try with all threads costs about as much.
constexpr double kShortest = 0.01, kLongest = 0.32;

}  // namespace

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
