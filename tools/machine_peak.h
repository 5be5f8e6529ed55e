// SPDX-License-Identifier: Apache-2.0
// What the cores of this machine can do at most, measured: the roof of a roofline.
#pragma once
#include <cstdint>

namespace fusebox::tools {

struct MachinePeak {
  double flops = 0;  // f32 a second: fused multiply-adds, as two each, on registers alone.
  double bytes = 0;  // A second, read from an array of 64 MiB, which no cache of a core holds.
};

// So many rounds of multiply-adds on this machine's widest vectors, more at once than their latency takes to hide.
// Returns how many operations that were.
double RunMultiplyAdds(int64_t rounds);

// Of so many threads at once. Takes a tenth of a second.
MachinePeak MeasurePeak(int64_t threads);

}  // namespace fusebox::tools
