// SPDX-License-Identifier: Apache-2.0
// Which kernels may share a phase although they read each other's values; and that results are equal, to the last bit,
// for any number of threads, for whole batches and for a partial last batch.
#include "fusebox/compiler/plan/row_chains.h"

#include "fmt/format.h"
#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/plan/plan.h"
#include "gtest/gtest.h"
#include "tests/compiler/fuse_all.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::FuseAll;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ParseGraph;

Plan PlanOf(const FusedProgram& program, int64_t rows, int64_t l2 = 512 * 1024) {
  PlanOptions options{.row_capacity = rows};
  options.target.caches.l2 = l2;
  return MakePlan(program, options);
}

constexpr const char* kStack = R"(
    %x = input : f32[N,20]
    %v = state {kind = "weight"} : f32[20,24]
    %w = state {kind = "weight"} : f32[24,10]
    %0 = matmul %x, %v : f32[N,24]
    %1 = max %0, 0 : f32[N,24]
    %2 = matmul %1, %w : f32[N,10]
    %3 = reduce_max %2 {axes = [1], keepdims = true} : f32[N,1]
    %4 = subtract %2, %3 : f32[N,10]
    %5 = exp %4 : f32[N,10]
    return y = %5)";

TEST(RowChains, ProductsAndWhatGoesAlongRowsAreOnePhase) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(kStack)));
  const Plan plan = PlanOf(program, 32);
  EXPECT_EQ(PrintSchedule(program, plan), R"(phase 0
  kernel 0 matmul [N,24] by rows
  kernel 1 matmul [N,10] by rows
  kernel 2 rows [N,10] by rows
)");
  // All tiles have equal cuts.
  for (const auto& [id, product] : plan.products) {
    EXPECT_EQ(product.schedule.tile_rows, plan.row_cut.rows);
    EXPECT_THAT(ToString(product.shape), HasSubstr(fmt::format("tiles of {} rows", plan.row_cut.rows)));
  }
}

// Such values would evict each other from the cache, and each thread would read such weights.
TEST(RowChains, WhatIsTooLargeForTheCacheIsNotChained) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(kStack)));
  EXPECT_EQ(PlanOf(program, 32, 1024).phases.size(), 3u);
}

TEST(RowChains, OneRowIsNoWorkToShare) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,200]
    %v = state {kind = "weight"} : f32[200,300]
    %w = state {kind = "weight"} : f32[300,200]
    %0 = matmul %x, %v : f32[N,300]
    %1 = matmul %0, %w : f32[N,200]
    return y = %1)")));
  EXPECT_EQ(PlanOf(program, 1).phases.size(), 2u);
  EXPECT_EQ(PlanOf(program, 64).phases.size(), 1u);
}

// A sum over the batch, and a product with it, need all rows.
TEST(RowChains, WhatNeedsOtherRowsWaits) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %w = state {kind = "weight"} : f32[4,3]
    %0 = matmul %x, %w : f32[N,3]
    %1 = sum %0 {axes = [0]} : f32[3]
    %2 = subtract %0, %1 : f32[N,3]
    %3 = matmul %0, %2 {transpose_a = true} : f32[3,3]
    return y = %3)")));
  const Plan plan = PlanOf(program, 8);
  EXPECT_EQ(plan.phases.size(), 4u) << PrintSchedule(program, plan);
  EXPECT_THAT(PrintSchedule(program, plan), Not(HasSubstr("by rows")));
}

// The loss of a batch and the values computed from it: one thread does both.
TEST(RowChains, KernelsOfOneUnitAreDoneByOneThread) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N]
    %total = state {kind = "accumulator"} : f32[]
    %count = state {kind = "accumulator"} : f32[]
    %0 = sum %x {axes = [0]} : f32[]
    %1 = add %total, %0 : f32[]
    %2 = add %count, 1 : f32[]
    %3 = divide %1, %2 : f32[]
    update %total = %1
    update %count = %2
    return mean = %3)")));
  const Plan plan = PlanOf(program, 8);
  EXPECT_EQ(plan.phases.size(), 1u) << PrintSchedule(program, plan);
  EXPECT_GT(program.kernels.size(), 1u);
}

// Forward and backward, so that many kernels write and read each thread's rows; with whole batches, and with batches
// whose last tiles are missing or partial, where some rows of a tile are not used.
TEST(RowChains, AnyNumberOfThreadsGivesTheEvaluatorsValues) {
  const Graph written = ParseGraph(R"(
    %x = input : f32[N,20]
    %t = input : f32[N,10]
    %v = state {kind = "weight"} : f32[20,24]
    %w = state {kind = "weight"} : f32[24,10]
    %0 = matmul %x, %v : f32[N,24]
    %1 = max %0, 0 : f32[N,24]
    %2 = matmul %1, %w : f32[N,10]
    %3 = reduce_max %2 {axes = [1], keepdims = true} : f32[N,1]
    %4 = subtract %2, %3 : f32[N,10]
    %5 = exp %4 : f32[N,10]
    %6 = subtract %5, %t : f32[N,10]
    %7 = multiply %6, %6 : f32[N,10]
    %8 = sum %7 {axes = [0, 1]} : f32[]
    %9 = gradient %8, %v : f32[20,24]
    %10 = multiply %9, 0.01 : f32[20,24]
    %11 = subtract %v, %10 : f32[20,24]
    update %v = %11
    return y = %5, loss = %8)");
  ASSERT_OK_AND_ASSIGN(const Graph graph, Differentiate(written));
  for (const int64_t row_capacity : {4, 7, 32, 70}) {
    ASSERT_OK_AND_ASSIGN(const Executable program, Compile(graph, {.row_capacity = row_capacity}));
    EXPECT_LE(program.report().barriers, 4);
    for (const int64_t batch : {int64_t{1}, int64_t{2}, row_capacity / 2, row_capacity - 1, row_capacity}) {
      SCOPED_TRACE(fmt::format("{} of {} rows", batch, row_capacity));
      const Bindings bindings = testing::RandomBindings(graph, uint64_t(batch), batch);
      ASSERT_OK_AND_ASSIGN(const Evaluation one, testing::RunStep(program, bindings, 1));
      const testing::Agreement agreement = testing::Compare(graph, bindings, one);
      ASSERT_EQ(agreement.mismatch, "");
      for (const int threads : {2, 3, 4, 16}) {
        ASSERT_OK_AND_ASSIGN(const Evaluation more, testing::RunStep(program, bindings, threads));
        EXPECT_TRUE(one.outputs == more.outputs && one.states == more.states) << threads << " threads change bits";
      }
    }
  }
}

}  // namespace
}  // namespace fusebox
