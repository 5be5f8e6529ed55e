// SPDX-License-Identifier: Apache-2.0
// The most f32 operations a second that this machine's vector units can do, to which other figures are compared: fused
// multiply-adds on registers, more at once than their latency takes to hide.
#include "benchmark/benchmark.h"
#include "tests/benchmarks/workload.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace fusebox::benchmarks {
namespace {

constexpr int kRounds = 10'000;
// Four or five cycles of latency on two units, and half as much again; AVX2 and NEON have 16 and 32 registers.
constexpr int kAtOnce = 12;

// Each returns how many floats one vector has. x <- x / 2 + 1 neither overflows nor becomes denormal. The empty assembly
// keeps the compiler from seeing that all sums are the same, and that nobody reads them.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) int FmaAvx512() {
  __m512 half = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1.0f), x[kAtOnce] = {};
#pragma GCC unroll 12
  for (__m512& sum : x) asm volatile("" : "+v"(sum));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (__m512& sum : x) sum = _mm512_fmadd_ps(sum, half, one);
  }
#pragma GCC unroll 12
  for (__m512& sum : x) asm volatile("" : "+v"(sum));
  return 16;
}

__attribute__((target("avx2,fma"))) int FmaAvx2() {
  __m256 half = _mm256_set1_ps(0.5f), one = _mm256_set1_ps(1.0f), x[kAtOnce] = {};
#pragma GCC unroll 12
  for (__m256& sum : x) asm volatile("" : "+x"(sum));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (__m256& sum : x) sum = _mm256_fmadd_ps(sum, half, one);
  }
#pragma GCC unroll 12
  for (__m256& sum : x) asm volatile("" : "+x"(sum));
  return 8;
}
#elif defined(__aarch64__)
int FmaNeon() {
  float32x4_t half = vdupq_n_f32(0.5f), one = vdupq_n_f32(1.0f), x[kAtOnce] = {};
#pragma GCC unroll 12
  for (float32x4_t& sum : x) asm volatile("" : "+w"(sum));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (float32x4_t& sum : x) sum = vfmaq_f32(one, sum, half);
  }
#pragma GCC unroll 12
  for (float32x4_t& sum : x) asm volatile("" : "+w"(sum));
  return 4;
}
#endif

// Null if it is not known how to do it here.
int (*FmaOfThisMachine())() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return FmaAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return FmaAvx2;
  return nullptr;
#elif defined(__aarch64__)
  return FmaNeon;
#else
  return nullptr;
#endif
}

void Peak(benchmark::State& state) {
  int (*const fma)() = FmaOfThisMachine();
  if (fma == nullptr) {
    state.SkipWithError("no fused multiply-add on vectors is known for this machine");
    return;
  }
  int width = 0;
  for (auto _ : state) width = fma();
  state.counters["FLOPS"] =
      benchmark::Counter(2.0 * width * kAtOnce * kRounds, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Peak)
    ->Apply([](benchmark::internal::Benchmark* peak) {
      for (const int64_t threads : ThreadCounts()) peak->Threads(int(threads));
    })
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fusebox::benchmarks
