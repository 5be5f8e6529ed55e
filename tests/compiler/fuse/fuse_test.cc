// SPDX-License-Identifier: Apache-2.0
// Which nodes share a kernel, and the reasons reported for those that do not.
#include "fusebox/compiler/fuse/fuse.h"

#include <algorithm>
#include <set>

#include "fmt/format.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/compiler/plan/plan.h"
#include "gtest/gtest.h"
#include "tests/compiler/fuse_all.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Dedent;
using ::testing::ElementsAre;
using testing::FuseAll;
using ::testing::HasSubstr;
using testing::Lines;
using testing::ParseGraph;
using testing::RandomGraph;

TEST(Fuse, DenseWithBiasAndReluIsOneProduct) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,784]
    %w = state {kind = "weight"} : f32[784,300]
    %b = state {kind = "weight"} : f32[300]
    %0 = matmul %x, %w : f32[N,300]
    %1 = add %0, %b : f32[N,300]
    %2 = max %1, 0 : f32[N,300]
    return y = %2)")));
  EXPECT_EQ(Print(program), Dedent(R"(
    kernel 0 matmul [N,300] {
      %4 = matmul %x, %w : f32[N,300]
      %5 = add %4, %b : f32[N,300]
      %7 = max %5, 0 : f32[N,300]  # stored
    }
    )"));
}

TEST(Fuse, AChainOfElementwiseOpsIsOneKernel) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,7]
    %c = input : f32[7]
    %0 = exp %x : f32[N,7]
    %1 = add %0, %c : f32[N,7]
    %2 = less %1, %x : bool[N,7]
    %3 = tanh %1 : f32[N,7]
    %4 = select %2, %3, %x : f32[N,7]
    return y = %4)")));
  EXPECT_THAT(Lines(program), ElementsAre("rows: exp add less tanh select"));
  EXPECT_EQ(program.kernels[0].stored.size(), 1u);
  EXPECT_TRUE(program.unfused.empty());
}

TEST(Fuse, SoftmaxIsOneKernelOfRows) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,10]
    %0 = reduce_max %x {axes = [1], keepdims = true} : f32[N,1]
    %1 = subtract %x, %0 : f32[N,10]
    %2 = exp %1 : f32[N,10]
    %3 = sum %2 {axes = [1], keepdims = true} : f32[N,1]
    %4 = divide %2, %3 : f32[N,10]
    return y = %4)")));
  EXPECT_THAT(Lines(program), ElementsAre("rows: reduce_max subtract exp sum divide"));
}

// Computes the loss of each row and d loss / d logits from one reading of the logits. Only the batch's mean is another
// kernel.
TEST(Fuse, SoftmaxCrossEntropyWithItsGradientIsOneKernelOfRows) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,10]
    %labels = input : i32[N]
    %0 = reduce_max %x {axes = [1], keepdims = true} : f32[N,1]
    %1 = stop_gradient %0 : f32[N,1]
    %2 = subtract %x, %1 : f32[N,10]
    %3 = exp %2 : f32[N,10]
    %4 = sum %3 {axes = [1], keepdims = true} : f32[N,1]
    %5 = log %4 : f32[N,1]
    %6 = add %5, %1 : f32[N,1]
    %7 = iota %x {axis = 1} : i32[N,10]
    %8 = reshape %labels : i32[N,1]
    %9 = equal %7, %8 : bool[N,10]
    %10 = cast %9 : f32[N,10]
    %11 = multiply %10, %x : f32[N,10]
    %12 = sum %11 {axes = [1], keepdims = true} : f32[N,1]
    %13 = subtract %6, %12 : f32[N,1]
    %14 = sum %13 {axes = [0, 1]} : f32[]
    %15 = gradient %14, %x : f32[N,10]
    return loss = %14, dx = %15)")));
  ASSERT_EQ(program.kernels.size(), 2u) << Print(program);
  EXPECT_EQ(program.kernels[0].kind, KernelKind::kRows);
  EXPECT_EQ(program.kernels[0].space, (Shape{-1, 10}));
  EXPECT_EQ(program.kernels[0].stored.size(), 2u) << Print(program);
  EXPECT_THAT(Lines(program)[0], HasSubstr("exp"));
  EXPECT_THAT(Lines(program)[1], "columns: sum");
}

// The gradient is added to the weights while it is in registers, and never stored.
TEST(Fuse, TheUpdateJoinsTheProductOfTheGradient) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %rate = input : f32[]
    %w = state {kind = "weight"} : f32[4,3]
    %v = state {kind = "slot"} : f32[4,3]
    %0 = matmul %x, %w : f32[N,3]
    %1 = max %0, 0 : f32[N,3]
    %2 = sum %1 {axes = [0, 1]} : f32[]
    %3 = gradient %2, %w : f32[4,3]
    %4 = multiply %3, %rate : f32[4,3]
    %5 = multiply %v, 0.9 : f32[4,3]
    %6 = subtract %5, %4 : f32[4,3]
    %7 = add %w, %6 : f32[4,3]
    update %v = %6
    update %w = %7
    return loss = %2)")));
  const auto update = std::ranges::find_if(program.kernels, [&](const Kernel& kernel) {
    return std::ranges::find(kernel.stored, program.graph.updates()[0].value) != kernel.stored.end();
  });
  ASSERT_NE(update, program.kernels.end());
  EXPECT_EQ(update->kind, KernelKind::kMatMul);
  EXPECT_EQ(update->stored.size(), 2u) << Print(program);
  for (const NodeId id : update->stored) EXPECT_NE(program.graph[id].op, Op::kMatMul) << "the gradient reaches memory";
  const Plan plan = MakePlan(program, {.row_capacity = 8});
  EXPECT_TRUE(plan.copies.empty()) << PrintMemory(program, plan);
}

TEST(Fuse, WhatIsCheapIsComputedAgain) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %w = state {kind = "weight"} : f32[4,4]
    %0 = less %x, 0 : bool[N,4]
    %1 = exp %x : f32[N,4]
    %2 = select %0, %1, %x : f32[N,4]
    %3 = matmul %2, %w : f32[N,4]
    %4 = select %0, %3, %x : f32[N,4]
    return y = %4)")));
  EXPECT_THAT(Lines(program), ElementsAre("rows: less exp select", "matmul: less matmul select"));
}

// A mask that two kernels recompute is also an output of the program. One of the kernels depends on the other. One of
// them stores the mask, and the other does not have to wait for that.
TEST(Fuse, WhatIsCheapMayBeAResultToo) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %w = state {kind = "weight"} : f32[4,4]
    %0 = less %x, 0 : bool[N,4]
    %1 = exp %x : f32[N,4]
    %2 = select %0, %1, %x : f32[N,4]
    %3 = matmul %2, %w : f32[N,4]
    %4 = select %0, %3, %x : f32[N,4]
    return y = %4, mask = %0)")));
  EXPECT_EQ(program.kernels.size(), 2u) << Print(program);
  for (const Kernel& kernel : program.kernels) {
    EXPECT_EQ(std::set<NodeId>(kernel.members.begin(), kernel.members.end()).size(), kernel.members.size())
        << Print(program);
  }
}

TEST(Fuse, SaysWhyTwoProductsAreTwo) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %v = state {kind = "weight"} : f32[4,3]
    %w = state {kind = "weight"} : f32[3,2]
    %0 = matmul %x, %v : f32[N,3]
    %1 = matmul %0, %w : f32[N,2]
    return y = %1)")));
  EXPECT_THAT(program.unfused, ElementsAre("%4 -> %5 matmul: matmul has a loop nest of its own"));
  EXPECT_THAT(Print(program), HasSubstr("# unfused %4 -> %5 matmul: "));
}

// Where two products meet, one of the edges remains; it has a reason, too.
TEST(Fuse, SaysWhyASumOfTwoProductsJoinsOne) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,4]
    %y = input : f32[N,4]
    %v = state {kind = "weight"} : f32[4,3]
    %0 = matmul %x, %v : f32[N,3]
    %1 = matmul %y, %v : f32[N,3]
    %2 = add %0, %1 : f32[N,3]
    return y = %2)")));
  EXPECT_THAT(Lines(program), ElementsAre("matmul: matmul", "matmul: matmul add"));
  EXPECT_THAT(program.unfused, ElementsAre("%4 -> %6 add: it is computed in the kernel of another operand"));
}

TEST(Fuse, EveryEdgeBetweenKernelsHasAReason) {
  int64_t edges = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(RandomGraph(seed, {.train = seed % 2 == 0})));
    std::set<std::string> expected, found;
    for (const Kernel& kernel : program.kernels) {
      for (const NodeId id : kernel.members) {
        for (const NodeId input : DataInputs(program.graph[id])) {
          const NodeId storage = StorageOf(program.graph, input);
          if (IsLeaf(program.graph[storage]) || kernel.Has(storage)) continue;
          expected.insert(fmt::format("%{} -> %{} {}", storage, id, program.graph[id].info().name));
        }
      }
    }
    for (const std::string& line : program.unfused) {
      const size_t colon = line.find(": ");
      ASSERT_NE(colon, std::string::npos) << line;
      EXPECT_GT(line.size(), colon + 10) << line;
      EXPECT_TRUE(found.insert(line.substr(0, colon)).second) << "twice: " << line;
    }
    EXPECT_EQ(found, expected) << Print(program);
    edges += int64_t(expected.size());
    if (HasFailure()) return;
  }
  EXPECT_GT(edges, 300);
}

// A kernel comes after the kernels that it needs, only cheap nodes are computed twice, and values read by other kernels
// are stored.
TEST(Fuse, RandomProgramsAreWhole) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(RandomGraph(seed, {.train = seed % 2 == 0})));
    std::set<NodeId> stored;
    for (const Kernel& kernel : program.kernels) {
      std::set<NodeId> here;
      EXPECT_TRUE(std::ranges::is_sorted(kernel.members));
      for (const NodeId id : kernel.members) {
        for (const NodeId input : DataInputs(program.graph[id])) {
          const NodeId storage = StorageOf(program.graph, input);
          EXPECT_TRUE(IsLeaf(program.graph[storage]) || here.contains(storage) || stored.contains(storage))
              << "%" << id << " reads %" << storage << ", which is not there yet\n"
              << Print(program);
        }
        EXPECT_TRUE(here.insert(id).second) << "%" << id;
      }
      EXPECT_FALSE(kernel.stored.empty()) << Print(program);
      for (const NodeId id : kernel.stored) EXPECT_TRUE(stored.insert(id).second) << "%" << id << " is stored twice";
    }
    for (const auto& output : program.graph.outputs())
      EXPECT_TRUE(stored.contains(StorageOf(program.graph, output.value)));
    for (const auto& update : program.graph.updates())
      EXPECT_TRUE(stored.contains(StorageOf(program.graph, update.value)));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace fusebox
