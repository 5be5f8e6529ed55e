// SPDX-License-Identifier: Apache-2.0
// Milliseconds from symbols to native code, with nothing cached, and the milliseconds of each pass as counters.
#include "benchmark/benchmark.h"
#include "fusebox/compiler/compiler.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {
namespace {

void CompileProgram(benchmark::State& state, ProgramKind kind) {
  const Graph program = OrDie(Model().Program(kind));
  for (auto _ : state) {
    const Executable executable = OrDie(Compile(program, {.row_capacity = 32}));
    for (const PassReport& pass : executable.report().passes) {
      benchmark::Counter& counter = state.counters[pass.name];
      counter.value += pass.milliseconds;
      counter.flags = benchmark::Counter::kAvgIterations;
    }
  }
}
BENCHMARK_CAPTURE(CompileProgram, training, ProgramKind::kTraining)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CompileProgram, prediction, ProgramKind::kPrediction)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fusebox::benchmarks
