// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/layout.h"

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using testing::ExpectSameValues;
using testing::ParseGraph;

TEST(Layout, TransposesWhatIsReadByColumns) {
  const Graph before = ParseGraph(R"(
    %x = input                                                   : f32[N,3]
    %w = input                                                   : f32[5,3]
    %v = input                                                   : f32[4,N]
    %0 = matmul %x, %w {transpose_b = true}                      : f32[N,5]
    %1 = matmul %x, %v {transpose_a = true, transpose_b = true}  : f32[3,4]
    %2 = matmul %x, %0 {transpose_a = true}                      : f32[3,5]
    return a = %0, b = %1, c = %2)");
  ASSERT_OK_AND_ASSIGN(const Graph after, ChooseLayouts(before));
  EXPECT_EQ(Print(after), Canonical(R"(
    %x = input                                                   : f32[N,3]
    %w = input                                                   : f32[5,3]
    %v = input                                                   : f32[4,N]
    %0 = transpose %w {permutation = [1, 0]}                     : f32[3,5]
    %1 = matmul %x, %0                                           : f32[N,5]
    %2 = transpose %v {permutation = [1, 0]}                     : f32[N,4]
    %3 = matmul %x, %2 {transpose_a = true}                      : f32[3,4]
    %4 = matmul %x, %1 {transpose_a = true}                      : f32[3,5]
    return a = %1, b = %3, c = %4)"));
  ExpectSameValues(before, after);
}

}  // namespace
}  // namespace fusebox
