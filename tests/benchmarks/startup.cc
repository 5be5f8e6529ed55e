// SPDX-License-Identifier: Apache-2.0
// Start-up costs of a process, up to a usable model.
#include <filesystem>

#include "benchmark/benchmark.h"
#include "fusebox/runtime/plugins/registry.h"
#include "tests/benchmarks/workload.h"

namespace fusebox::benchmarks {
namespace {

// Loads all built-in libraries into a new registry. The dynamic linker keeps loaded libraries, so only the first
// iteration pays for relocation: see ListPluginsInANewProcess for that.
void LoadBuiltins(benchmark::State& state) {
  for (auto _ : state) {
    Registry registry;
    registry.LoadFolder(FUSEBOX_BUILD_DIR "/lib/fusebox/plugins");
    if (registry.libraries().empty() || !registry.refused().empty())
      state.SkipWithError("no built-ins, or a broken one");
    benchmark::DoNotOptimize(registry.items());
  }
}

// The same in a new process each time, including dynamic linking of libfusebox and the exit.
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
