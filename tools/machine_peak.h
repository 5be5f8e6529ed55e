// SPDX-License-Identifier: Apache-2.0
// Measures the peak of this machine's cores: the roof of a roofline.
#pragma once
#include <cstdint>

namespace fusebox::tools {

struct MachinePeak {
  double flops = 0;  // f32 operations per second: fused multiply-adds, counted as two, on registers only.
  double bytes = 0;  // Per second, read from an array of 64 MiB, which exceeds every core's cache.
};

// Runs this many rounds of multiply-adds on the machine's widest vectors, enough of them at once to hide their latency.
// Returns the number of operations.
double RunMultiplyAdds(int64_t rounds);

// The peak of this many threads at once. Takes a tenth of a second.
MachinePeak MeasurePeak(int64_t threads);

}  // namespace fusebox::tools
