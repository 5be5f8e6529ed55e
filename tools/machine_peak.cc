// SPDX-License-Identifier: Apache-2.0
#include "tools/machine_peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <vector>

#include "fusebox/runtime/execute/thread_pool.h"

namespace fusebox::tools {
namespace {

// More accumulators than latency times units: four or five cycles on two units of x86-64, on up to four of AArch64.
// With the two operands they fit into the 16 registers of AVX2 or the 32 of NEON.
#if defined(__aarch64__)
constexpr int kChains = 24;
#else
constexpr int kChains = 12;
#endif

// The compiler would merge chains with equal initial values.
#define FUSEBOX_FMA_LOOP(Vector, Set1, Fma, kLanes)                                                \
  Vector acc[kChains];                                                                             \
  _Pragma("GCC unroll 24") for (int i = 0; i < kChains; ++i) acc[i] = Set1(float(i));              \
  const Vector factor = Set1(0.999F), term = Set1(0.001F);                                         \
  for (int64_t r = 0; r < rounds; ++r) {                                                           \
    _Pragma("GCC unroll 24") for (int i = 0; i < kChains; ++i) acc[i] = Fma(acc[i], factor, term); \
  }                                                                                                \
  Vector sum = acc[0];                                                                             \
  _Pragma("GCC unroll 24") for (int i = 1; i < kChains; ++i) sum = Fma(sum, factor, acc[i]);       \
  asm volatile("" : : "m"(sum));                                                                   \
  return double(rounds) * kChains * (kLanes) * 2

#if defined(__x86_64__)
[[gnu::target("avx512f")]] double Fma512(int64_t rounds) {
  FUSEBOX_FMA_LOOP(__m512, _mm512_set1_ps, _mm512_fmadd_ps, 16);
}
[[gnu::target("avx2,fma")]] double Fma256(int64_t rounds) {
  FUSEBOX_FMA_LOOP(__m256, _mm256_set1_ps, _mm256_fmadd_ps, 8);
}
[[gnu::always_inline]] inline __m128 MulAdd(__m128 a, __m128 b, __m128 c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
double Narrowest(int64_t rounds) { FUSEBOX_FMA_LOOP(__m128, _mm_set1_ps, MulAdd, 4); }
#elif defined(__aarch64__)
float32x4_t MulAdd(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmaq_f32(c, a, b); }
double Narrowest(int64_t rounds) { FUSEBOX_FMA_LOOP(float32x4_t, vdupq_n_f32, MulAdd, 4); }
#else
float Identity(float x) { return x; }
double Narrowest(int64_t rounds) { FUSEBOX_FMA_LOOP(float, Identity, __builtin_fmaf, 1); }
#endif

// Rate of all threads together; the best of several tries, as the machine may be shared.
template <class Work>
double Rate(int64_t threads, const Work& work) {
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<double> done(size_t(threads), 0.0);
    ThreadPool::Global().Run(threads, [&](int64_t thread) { done[size_t(thread)] = work(); });
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    best = std::max(best, std::accumulate(done.begin(), done.end(), 0.0) / spent.count());
  }
  return best;
}

}  // namespace

double RunMultiplyAdds(int64_t rounds) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return Fma512(rounds);
  if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2")) return Fma256(rounds);
#endif
  return Narrowest(rounds);
}

MachinePeak MeasurePeak(int64_t threads) {
  std::vector<uint64_t> array(8 << 20, 1);
  const auto read = [&array] {
    uint64_t sum[8] = {};
    for (size_t i = 0; i < array.size(); i += 8) {
      for (size_t j = 0; j < 8; ++j) sum[j] += array[i + j];
    }
    volatile uint64_t keep = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
    (void)keep;
    return double(array.size()) * sizeof(uint64_t);
  };
  return {.flops = Rate(threads, [] { return RunMultiplyAdds(500'000); }), .bytes = Rate(threads, read)};
}

}  // namespace fusebox::tools
