// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/useful_threads.h"

#include <algorithm>

namespace fusebox {
namespace {

// What one core does, roughly, of kernels too small for its best; and how long a thread should be busy between two barriers,
// which take some tenths of this.
constexpr double kFlopsASecond = 40e9, kBytesASecond = 20e9;
constexpr double kSecondsOfAPhase = 2e-6;

}  // namespace

int64_t UsefulThreads(const CompileReport& report) {
  double seconds = 0;
  for (const KernelReport& kernel : report.kernels) {
    seconds += std::max(kernel.flops / kFlopsASecond, kernel.bytes / kBytesASecond);
  }
  const double phases = double(std::max<int64_t>(report.barriers, 1));
  return std::max<int64_t>(int64_t(std::min(seconds / (phases * kSecondsOfAPhase), 1e9)), 1);
}

}  // namespace fusebox
