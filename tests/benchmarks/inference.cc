// SPDX-License-Identifier: Apache-2.0
// Microseconds per call for a number of samples: of Predict, and of the compiled program alone on the caller's arrays.
#include "benchmark/benchmark.h"
#include "tests/benchmarks/bare_program.h"
#include "tests/benchmarks/numbers.h"

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

// A model of three Dense layers.
void TimeForward(benchmark::State& state, const Sequential& model, const char* input, const char* output) {
  const int64_t rows = state.range(0), threads = state.range(1);
  BareProgram program(OrDie(model.Program(ProgramKind::kPrediction)), rows);
  for (uint32_t layer = 0; layer < 3; ++layer) {
    const std::string name = layer == 0 ? "dense" : "dense_" + std::to_string(layer);
    SpreadLayer(program.Array(Port::Kind::kState, name + "/kernel"), program.Array(Port::Kind::kState, name + "/bias"),
                layer);
  }
  Spread(program.Array(Port::Kind::kInput, input), 1, 1);
  program.Run(threads);
  for (auto _ : state) program.Run(threads);
  state.counters["digest"] = Digest(program.Array(Port::Kind::kOutput, output));
  state.SetItemsProcessed(state.iterations() * rows);
}
void Forward(benchmark::State& state) { TimeForward(state, Model(), "x", "y"); }
void TinyForward(benchmark::State& state) { TimeForward(state, TinyModel(), "x", "y"); }

// The arguments of a benchmark, and the way it is measured.
void Times(benchmark::internal::Benchmark* forward, std::vector<int64_t> rows) {
  forward->ArgNames({"rows", "threads"})->ArgsProduct({std::move(rows), ThreadCounts()});
  forward->UseRealTime()->Unit(benchmark::kMicrosecond);
}
void Calls(benchmark::internal::Benchmark* forward) { Times(forward, {1, 32, 1024}); }
void TinyCalls(benchmark::internal::Benchmark* forward) { Times(forward, {1}); }

BENCHMARK(Predict)->Apply(Calls);
BENCHMARK(Forward)->Apply(Calls);
BENCHMARK(TinyForward)->Apply(TinyCalls);

}  // namespace
}  // namespace fusebox::benchmarks
