// SPDX-License-Identifier: Apache-2.0
// The most f32 operations a second that this machine's vector units can do, to which other figures are compared: fused
// multiply-adds on registers, more at once than their latency takes to hide.
#include "benchmark/benchmark.h"
#include "fusebox/runtime/thread_pool.h"
#include "tests/benchmarks/workload.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace fusebox::benchmarks {
namespace {

constexpr int kRounds = 1'000'000;  // Milliseconds: threads take microseconds to wake.
// More than latency times units: four or five cycles on two units of x86-64, on up to four of AArch64. With the two
// operands they fit the 16 registers of AVX2, the 32 of NEON.
#if defined(__aarch64__)
constexpr int kAtOnce = 24;
#else
constexpr int kAtOnce = 12;
#endif

// Each returns how many floats one vector has. x <- x / 2 + 1 neither overflows nor becomes denormal. The empty
// assembly keeps the compiler from seeing that all sums are the same, and that nobody reads them.
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
#pragma GCC unroll 24
  for (float32x4_t& sum : x) asm volatile("" : "+w"(sum));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 24
    for (float32x4_t& sum : x) sum = vfmaq_f32(one, sum, half);
  }
#pragma GCC unroll 24
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
  const int64_t threads = state.range(0);
  const int width = fma();
  for (auto _ : state) ThreadPool::Global().Run(threads, [fma](int64_t) { fma(); });
  state.counters["FLOPS"] = benchmark::Counter(2.0 * width * kAtOnce * kRounds * double(threads),
                                               benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Peak)->ArgName("threads")->ArgsProduct({ThreadCounts()})->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fusebox::benchmarks
