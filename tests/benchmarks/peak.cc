// SPDX-License-Identifier: Apache-2.0
// The peak f32 operations per second of this machine's vector units, to which other figures are compared.
#include "benchmark/benchmark.h"
#include "fusebox/runtime/execute/thread_pool.h"
#include "tests/benchmarks/workload.h"
#include "tools/machine_peak.h"

namespace fusebox::benchmarks {
namespace {

constexpr int64_t kRounds = 1'000'000;  // Takes milliseconds, as threads take microseconds to wake.

void Peak(benchmark::State& state) {
  const int64_t threads = state.range(0);
  const double operations = tools::RunMultiplyAdds(kRounds);
  for (auto _ : state) ThreadPool::Global().Run(threads, [](int64_t) { tools::RunMultiplyAdds(kRounds); });
  state.counters["FLOPS"] =
      benchmark::Counter(operations * double(threads), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Peak)->ArgName("threads")->ArgsProduct({ThreadCounts()})->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fusebox::benchmarks
