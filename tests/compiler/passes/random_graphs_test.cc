// SPDX-License-Identifier: Apache-2.0
// All graph passes on random programs, forward and backward: values are preserved, and a second round changes nothing.
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/passes/simplify.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

using testing::Agreement;
using testing::RandomBindings;
using testing::RandomGraph;

void PassesKeepValues(uint64_t seed, bool train, DType real, Agreement& total) {
  const Graph program = RandomGraph(seed, {.train = train, .real = real});
  ASSERT_OK_AND_ASSIGN(const Graph before, Differentiate(program));
  std::vector<PassReport> reports;
  ASSERT_OK_AND_ASSIGN(const Graph after, RunGraphPasses(program, {}, reports));
  for (const int64_t batch : {1, 5}) {
    const Bindings bindings = RandomBindings(before, seed, batch);
    ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(after, bindings));
    const Agreement agreement = testing::Compare(before, bindings, got);
    ASSERT_EQ(agreement.mismatch, "") << "with N = " << batch << " of\n"
                                      << Print(before) << "\nwhich became\n"
                                      << Print(after);
    total.elements += agreement.elements;
    total.unbounded += agreement.unbounded;
  }
}

TEST(RandomGraphs, PassesKeepValues) {
  Agreement total;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    PassesKeepValues(seed, /*train=*/false, DType::kF32, total);
    PassesKeepValues(seed, /*train=*/true, DType::kF32, total);
    PassesKeepValues(seed, /*train=*/true, DType::kF64, total);
    if (HasFatalFailure()) return;
  }
  EXPECT_LT(total.unbounded * 20, total.elements) << "too few could be compared";
}

TEST(RandomGraphs, SimplifyIsDoneAfterOneRun) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Graph plain, Differentiate(RandomGraph(seed, {.train = true})));
    ASSERT_OK_AND_ASSIGN(const Graph once, Simplify(plain));
    ASSERT_OK_AND_ASSIGN(const Graph twice, Simplify(once));
    ASSERT_EQ(Print(once), Print(twice)) << "of seed " << seed;
  }
}

}  // namespace
}  // namespace fusebox
