// SPDX-License-Identifier: Apache-2.0
// Microseconds a call of Predict, for so many samples.
#include "benchmark/benchmark.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {
namespace {

void Predict(benchmark::State& state) {
  static const Data data = Pictures();
  Sequential model = Model();
  const int64_t rows = state.range(0);
  const PredictArgs args = {.threads = state.range(1)};
  const Tensor x = data.x.Rows(0, rows);
  OrDie(model.Predict(x, args));  // Compiles.
  for (auto _ : state) benchmark::DoNotOptimize(OrDie(model.Predict(x, args)).raw());
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(Predict)
    ->ArgNames({"rows", "threads"})
    ->ArgsProduct({{1, 32, 1024}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fusebox::benchmarks
