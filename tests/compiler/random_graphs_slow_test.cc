// SPDX-License-Identifier: Apache-2.0
// Random programs, optimised and compiled, against the reference evaluator: forward, and with gradients and updates.
#include <unistd.h>

#include <map>

#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

constexpr int64_t kBatches[] = {1, 2, 5, 16, 33};

// Some with more capacity than rows; half of them with all weights in panels, however small, and half with an
// inaccessible page behind each intermediate.
JitOptions Options(int threads, uint64_t seed, int64_t batch) {
  JitOptions options{.threads = threads, .row_capacity = batch + int64_t(seed % 3)};
  if (seed % 2 == 1) options.compile.pack_from_bytes = 0;
  if (seed / 2 % 2 == 1) options.compile.guard_bytes = sysconf(_SC_PAGESIZE);
  return options;
}

void CheckGraph(const Graph& graph, uint64_t seed, int64_t batch, int64_t* unbounded, int64_t* elements) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  if (std::getenv("TRACE_SEEDS") != nullptr) std::fprintf(stderr, "seed %d\n", int(seed));
  const Bindings bindings = RandomBindings(graph, seed, batch);
  const absl::StatusOr<Evaluation> one = RunJit(graph, bindings, Options(1, seed, batch));
  ASSERT_OK(one) << Print(graph);
  const auto written_out = Differentiate(graph);
  ASSERT_OK(written_out);
  const Agreement agreement = Compare(*written_out, bindings, *one);
  ASSERT_EQ(agreement.mismatch, "") << "seed " << seed << ", batch " << batch << "\n" << Print(graph);
  *unbounded += agreement.unbounded;
  *elements += agreement.elements;
  if (seed % 5 == 0) {
    const absl::StatusOr<Evaluation> three = RunJit(graph, bindings, Options(3, seed, batch));
    ASSERT_OK(three);
    EXPECT_TRUE(one->outputs == three->outputs && one->states == three->states) << "threads change bits, seed " << seed;
  }
}

void CheckMany(uint64_t first, uint64_t count, const RandomGraphOptions& options, std::map<Op, int64_t>* ops) {
  int64_t unbounded = 0, elements = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Graph graph = RandomGraph(seed, options);
    CountOps(graph, *ops);
    CheckGraph(graph, seed, kBatches[seed % std::size(kBatches)], &unbounded, &elements);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_LT(double(unbounded), 0.05 * double(elements));
}

TEST(RandomGraphs, CompiledForwardAndBackwardAgreeWithTheEvaluator) {
  std::map<Op, int64_t> ops;
  CheckMany(1, 250, {}, &ops);
  if (HasFatalFailure()) return;
  CheckMany(1000, 250, {.train = true}, &ops);
  if (HasFatalFailure()) return;
  for (size_t op = 1; op < size_t(Op::kCount); ++op) {
    std::printf("%-16s %5d\n", Info(Op(op)).name, int(ops[Op(op)]));
    if (Op(op) == Op::kCall) continue;
    EXPECT_GE(ops[Op(op)], 20) << Info(Op(op)).name;
  }
}

}  // namespace
}  // namespace fusebox::testing
