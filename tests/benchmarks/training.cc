// SPDX-License-Identifier: Apache-2.0
// Seconds an epoch once the program is compiled: gather of shuffled rows, forward, loss, accuracy, backward, update.
#include "benchmark/benchmark.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {
namespace {

void Epoch(benchmark::State& state) {
  static const Data data = Pictures();
  Sequential model = Model();
  const int64_t batch = state.range(0), threads = state.range(1);
  // Compiles.
  OrDie(
      model.Fit(data.x.Rows(0, batch), data.y.Rows(0, batch), {.batch_size = batch, .threads = threads, .verbose = 0}));
  int64_t epoch = 0;
  double loss = 0;
  for (auto _ : state) {
    const History history = OrDie(
        model.Fit(data.x, data.y, {.batch_size = batch, .initial_epoch = epoch++, .threads = threads, .verbose = 0}));
    loss = history["loss"].back();
  }
  state.counters["loss"] = loss;
  state.SetItemsProcessed(state.iterations() * data.x.rows());
}
BENCHMARK(Epoch)
    ->ArgNames({"batch", "threads"})
    ->ArgsProduct({{32}, {1, 2}})
    ->ArgsProduct({{512}, {1, 2}})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kSecond);

}  // namespace
}  // namespace fusebox::benchmarks
