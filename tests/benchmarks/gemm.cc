// SPDX-License-Identifier: Apache-2.0
// Microseconds of one matrix product, f32[m,k] by f32[k,n], on one thread: a program of a single op.
#include "benchmark/benchmark.h"
#include "fmt/format.h"
#include "fusebox/graph/text.h"
#include "tests/benchmarks/bare_program.h"
#include "tests/benchmarks/numbers.h"

namespace fusebox::benchmarks {
namespace {

void Gemm(benchmark::State& state) {
  const int64_t m = state.range(0), k = state.range(1), n = state.range(2);
  BareProgram program(OrDie(Parse(fmt::format("%a = input : f32[{0},{1}]\n"
                                              "%b = input : f32[{1},{2}]\n"
                                              "%0 = matmul %a, %b : f32[{0},{2}]\n"
                                              "return c = %0\n",
                                              m, k, n))),
                      1);
  Spread(program.Array(Port::Kind::kInput, "a"), 0, 1);
  Spread(program.Array(Port::Kind::kInput, "b"), 1, 1);
  program.Run(1);
  for (auto _ : state) program.Run(1);
  state.counters["digest"] = Digest(program.Array(Port::Kind::kOutput, "c"));
  state.counters["FLOPS"] = benchmark::Counter(2.0 * double(m * k * n), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Gemm)
    ->ArgNames({"m", "k", "n"})
    ->Apply([](benchmark::internal::Benchmark* gemm) {
      for (const int64_t size : {256, 512, 768, 1024, 2048}) gemm->Args({size, size, size});
      for (const auto& [k, n] : {std::pair{784, 300}, {300, 100}, {1024, 1024}, {4096, 1024}, {1024, 4096}})
        for (const int64_t m : {1, 4, 16, 32, 64}) gemm->Args({m, k, n});
    })
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fusebox::benchmarks
