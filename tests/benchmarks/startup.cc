// SPDX-License-Identifier: Apache-2.0
// What a process pays before its model is there.
#include <filesystem>

#include "benchmark/benchmark.h"
#include "fusebox/runtime/plugins/registry.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {
namespace {

// All built-in libraries into a registry of its own. The dynamic linker keeps a library that it has loaded, so only the
// first one pays for relocation: see LoadBuiltinsCold for that.
void LoadBuiltins(benchmark::State& state) {
  for (auto _ : state) {
    Registry registry;
    registry.LoadFolder(FUSEBOX_BUILD_DIR "/lib/fusebox/plugins");
    if (registry.libraries().empty() || !registry.refused().empty())
      state.SkipWithError("no built-ins, or a broken one");
    benchmark::DoNotOptimize(registry.items());
  }
}

// The same in a new process each time, dynamic linking of libfusebox and the exit included.
void ListPluginsInANewProcess(benchmark::State& state) {
  for (auto _ : state) {
    if (std::system(FUSEBOX_BIN " plugins list > /dev/null") != 0) state.SkipWithError("fusebox plugins list failed");
  }
}
void VersionInANewProcess(benchmark::State& state) {
  for (auto _ : state) {
    if (std::system(FUSEBOX_BIN " --version > /dev/null") != 0) state.SkipWithError("fusebox --version failed");
  }
}

// Declaring and compiling settings, without code generation.
void DeclareModel(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Model());
}

BENCHMARK(LoadBuiltins)->Unit(benchmark::kMillisecond);
BENCHMARK(ListPluginsInANewProcess)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(VersionInANewProcess)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(DeclareModel)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fusebox::benchmarks
