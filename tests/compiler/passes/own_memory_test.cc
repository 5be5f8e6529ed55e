// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/own_memory.h"

#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using testing::ExpectSameValues;
using testing::ParseGraph;

void Expect(const char* text, const char* expected) {
  const Graph before = ParseGraph(text);
  ASSERT_OK_AND_ASSIGN(const Graph after, OwnMemory(before));
  EXPECT_EQ(Print(after), Canonical(expected));
  ExpectSameValues(before, after);
}

TEST(OwnMemory, GivesEachOutputAndUpdateAnArrayOfItsOwn) {
  Expect(R"(
    %x = input                   : f32[N]
    %w = state {kind = "weight"} : f32[3]
    %0 = exp %x                  : f32[N]
    %1 = reshape %0              : f32[N,1]
    %2 = negate %w               : f32[3]
    update %w = %2
    return a = %0, b = %1, c = %2, d = %x, e = %w)",
         R"(
    %x = input                   : f32[N]
    %w = state {kind = "weight"} : f32[3]
    %0 = exp %x                  : f32[N]
    %1 = reshape %0              : f32[N,1]
    %2 = negate %w               : f32[3]
    %3 = copy %1                 : f32[N,1]
    %4 = copy %2                 : f32[3]
    %5 = copy %x                 : f32[N]
    %6 = copy %w                 : f32[3]
    update %w = %2
    return a = %0, b = %3, c = %4, d = %5, e = %6)");
}

// Elementwise kernels have constants in their code; others load their operands.
TEST(OwnMemory, PutsConstantsIntoMemoryForKernelsThatLoadThem) {
  Expect(R"(
    %x = input                          : f32[N,4]
    %0 = constant 2                     : f32[]
    %1 = add %x, %0                     : f32[N,4]
    %2 = reshape %0                     : f32[1,1]
    %3 = pad %2 {after = 3, axis = 1, before = 0} : f32[1,4]
    %4 = extent %x {axes = [0]}         : f32[]
    return a = %1, b = %3, c = %4)",
         R"(
    %x = input                          : f32[N,4]
    %0 = constant 2                     : f32[]
    %1 = add %x, %0                     : f32[N,4]
    %2 = reshape %0                     : f32[1,1]
    %3 = copy %2                        : f32[1,1]
    %4 = pad %3 {after = 3, axis = 1, before = 0} : f32[1,4]
    %5 = extent %x {axes = [0]}         : f32[]
    %6 = copy %5                        : f32[]
    return a = %1, b = %4, c = %6)");
}

TEST(OwnMemory, LeavesAloneWhatHasMemory) {
  constexpr const char* kText = R"(
    %x = input                   : f32[N,4]
    %w = state {kind = "weight"} : f32[4,3]
    %0 = matmul %x, %w           : f32[N,3]
    %1 = add %w, 1               : f32[4,3]
    update %w = %1
    return %0)";
  Expect(kText, kText);
}

// A region's results are stored for the branch or loop around it.
TEST(OwnMemory, GoesIntoRegionsAsAPassOfThePipeline) {
  const Graph before = ParseGraph(R"(
    %p = input         : bool[]
    %x = input         : f32[3]
    %0 = cond %p, %x   : f32[3] {
      %arg1 = input {name = "1"} : f32[3]
      return %arg1
    } {
      %arg1 = input {name = "1"} : f32[3]
      %0 = negate %arg1          : f32[3]
      return %0
    }
    return %0)");
  std::vector<PassReport> reports;
  ASSERT_OK_AND_ASSIGN(const Graph after, RunGraphPasses(before, {}, reports));
  const Graph& first = after[after.outputs()[0].value].regions[0];
  EXPECT_EQ(first[first.outputs()[0].value].op, Op::kCopy);
  const Graph& second = after[after.outputs()[0].value].regions[1];
  EXPECT_EQ(second[second.outputs()[0].value].op, Op::kNegate);
  const Bindings bindings = testing::RandomBindings(before, /*seed=*/1, /*batch=*/1);
  ASSERT_OK_AND_ASSIGN(const Evaluation expected, Evaluate(before, bindings));
  ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(after, bindings));
  EXPECT_EQ(got.outputs, expected.outputs);
}

}  // namespace
}  // namespace fusebox
