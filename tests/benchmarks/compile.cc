// SPDX-License-Identifier: Apache-2.0
// Measures milliseconds from symbols to native code, with each pass as a counter: cold, with nothing cached, and warm,
// with the objects in a folder on disk. Stacks of many layers show that the time is linear in their number.
#include <filesystem>

#include "benchmark/benchmark.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/text.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {
namespace {

void Count(benchmark::State& state, const CompileReport& report) {
  for (const PassReport& pass : report.passes) {
    benchmark::Counter& counter = state.counters[pass.name];
    counter.value += pass.milliseconds;
    counter.flags = benchmark::Counter::kAvgIterations;
  }
  state.counters["ir_instructions"] = double(report.ir_instructions);
}

void CompileCold(benchmark::State& state, ProgramKind kind) {
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  const Graph program = OrDie(Model().Program(kind));
  for (auto _ : state) {
    const Executable executable = OrDie(Compile(program, {.row_capacity = 32}));
    Count(state, executable.report());
  }
}

void MeasureWarm(benchmark::State& state, const Graph& program) {
  std::string folder = std::filesystem::temp_directory_path() / "fusebox_bench_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
  setenv("FUSEBOX_CACHE_DIR", folder.c_str(), 1);
  OrDie(Compile(program, {.row_capacity = 32}));
  for (auto _ : state) {
    const Executable executable = OrDie(Compile(program, {.row_capacity = 32}));
    if (!executable.report().cache_hit) state.SkipWithError("what was just compiled is not in the cache");
    Count(state, executable.report());
  }
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  std::filesystem::remove_all(folder);
}

void CompileWarm(benchmark::State& state, ProgramKind kind) { MeasureWarm(state, OrDie(Model().Program(kind))); }

// A number of Dense layers of width 16.
Sequential Stack(int64_t count) {
  std::vector<Layer> layers = {Dense(16, "relu", {.input_shape = {16}})};
  while (int64_t(layers.size()) < count) layers.push_back(Dense(16, "relu"));
  Sequential model(std::move(layers), {.seed = 42});
  OrDie(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}));
  return model;
}

void CompileStack(benchmark::State& state) {
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  const Graph program = OrDie(Stack(state.range(0)).Program(ProgramKind::kTraining));
  for (auto _ : state) {
    const Executable executable = OrDie(Compile(program, {.row_capacity = 32}));
    Count(state, executable.report());
  }
  state.SetComplexityN(state.range(0));
}

void CompileStackWarm(benchmark::State& state) {
  MeasureWarm(state, OrDie(Stack(state.range(0)).Program(ProgramKind::kTraining)));
  state.SetComplexityN(state.range(0));
}

// The other steps that users wait for: declaring the layers, printing and parsing the program, and the table of layers.
void DeclareStack(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Stack(state.range(0)));
  state.SetComplexityN(state.range(0));
}

void TextOfStack(benchmark::State& state) {
  const Graph program = OrDie(Stack(state.range(0)).Program(ProgramKind::kTraining));
  for (auto _ : state) benchmark::DoNotOptimize(OrDie(Parse(Print(program))));
  state.SetComplexityN(state.range(0));
}

void SummaryOfStack(benchmark::State& state) {
  const Sequential model = Stack(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(model.Summary());
  state.SetComplexityN(state.range(0));
}

BENCHMARK_CAPTURE(CompileCold, training, ProgramKind::kTraining)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CompileCold, prediction, ProgramKind::kPrediction)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CompileWarm, training, ProgramKind::kTraining)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CompileWarm, prediction, ProgramKind::kPrediction)->UseRealTime()->Unit(benchmark::kMillisecond);
void Depths(benchmark::internal::Benchmark* b) {
  for (const int64_t layers : {10, 100, 1000, 3000}) b->Arg(layers);
  b->UseRealTime()->Unit(benchmark::kMillisecond)->Complexity();
}
BENCHMARK(CompileStack)->Apply(Depths);
BENCHMARK(CompileStackWarm)->Apply(Depths);
BENCHMARK(DeclareStack)->Apply(Depths);
BENCHMARK(TextOfStack)->Apply(Depths);
BENCHMARK(SummaryOfStack)->Apply(Depths);

}  // namespace
}  // namespace fusebox::benchmarks
