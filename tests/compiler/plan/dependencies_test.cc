// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/plan/dependencies.h"

#include "gtest/gtest.h"
#include "tests/compiler/fuse_all.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::ParseGraph;

// x w = y; y is read by the update's product, and the old w by the one for dx.
constexpr const char* kLayer = R"(
    %x = input : f32[N,4]
    %w = state {kind = "weight"} : f32[4,3]
    %0 = matmul %x, %w : f32[N,3]
    %1 = matmul %x, %0 {transpose_a = true} : f32[4,3]
    %2 = subtract %w, %1 : f32[4,3]
    %3 = transpose %w {permutation = [1, 0]} : f32[3,4]
    %4 = matmul %0, %3 : f32[N,4]
    update %w = %2
    return dx = %4)";

TEST(Dependencies, AnUpdateInPlaceWaitsForAllReadersOfTheOldValue) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, testing::FuseAll(ParseGraph(kLayer)));
  const Dependencies all = FindDependencies(program);
  const NodeId state = program.graph.updates()[0].state, value = program.graph.updates()[0].value;
  EXPECT_EQ(all.updates_in_place[value], state);
  const size_t maker = all.maker[value];
  ASSERT_NE(maker, Dependencies::kNone);
  EXPECT_EQ(all.maker[state], Dependencies::kNone);
  EXPECT_EQ(all.readers[state].size(), 3u) << Print(program);
  for (const size_t reader : all.readers[state]) EXPECT_TRUE(all.order.Needs(maker, reader));
}

TEST(Dependencies, AnUpdateThatMixesElementsIsNotInPlace) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, testing::FuseAll(ParseGraph(R"(
    %w = state {kind = "weight"} : f32[4,4]
    %0 = matmul %w, %w : f32[4,4]
    %1 = constant 0 : f32[]
    update %w = %0
    return y = %1)")));
  const Dependencies all = FindDependencies(program);
  EXPECT_EQ(all.updates_in_place[program.graph.updates()[0].value], 0u);
}

}  // namespace
}  // namespace fusebox
