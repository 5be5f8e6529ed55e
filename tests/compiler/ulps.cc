// SPDX-License-Identifier: Apache-2.0
#include "tests/compiler/ulps.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

constexpr int64_t kBatch = 1 << 20;  // Arguments per run.

double Ulps(float got, long double exact) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : kInfinity;
  // From half an ulp above the largest number, the rounded result is infinite.
  if (std::abs(exact) >= 0x1.ffffffp127L) return std::isinf(got) && (got > 0) == (exact > 0) ? 0 : kInfinity;
  if (std::isinf(got)) return kInfinity;
  const int exponent = std::max(exact == 0 ? -126 : std::ilogb(exact), -126);
  return double(std::abs(static_cast<long double>(got) - exact) / std::ldexp(1.0L, exponent - 23));
}

}  // namespace

void ExpectUlps(const char* op, long double (*exact)(long double), double bound, uint64_t step) {
  const Graph graph = ParseGraph(fmt::format("%x = input : f32[N]\n%0 = {} %x : f32[N]\nreturn y = %0", op));
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = kBatch}));
  double worst = 0;
  float at = 0;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32;) {
    std::vector<float> x;
    for (; x.size() < size_t(kBatch) && bits < uint64_t{1} << 32; bits += step) {
      x.push_back(std::bit_cast<float>(uint32_t(bits)));
    }
    const auto count = int64_t(x.size());
    const Bindings bindings = {.inputs = {{"x", Literal::Of({count}, x)}}, .states = {}, .batch = count};
    ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(program, bindings, 1));
    const auto y = got.outputs.at("y").values<float>();
    for (size_t i = 0; i < x.size(); ++i) {
      const double ulps = Ulps(y[i], exact(x[i]));
      if (ulps > worst) worst = ulps, at = x[i];
    }
  }
  fmt::print("{:8} {:.3f} ulp at most, at {:a}\n", op, worst, at);
  EXPECT_LE(worst, bound) << op << "(" << at << ")";
}

long double ExactSigmoid(long double x) { return 1 / (1 + std::exp(-x)); }

long double ExactSoftplus(long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace fusebox::testing
