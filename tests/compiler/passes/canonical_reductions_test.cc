// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/canonical_reductions.h"

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

void ExpectBecomes(std::string_view before, std::string_view after) {
  const Graph graph = ParseGraph(before);
  ASSERT_OK_AND_ASSIGN(const Graph canonical, CanonicalReductions(graph));
  EXPECT_EQ(Print(canonical), Canonical(after));
  ExpectSameValues(graph, canonical);
}

TEST(CanonicalReductions, FoldsOneRunAfterTheOtherFromTheLast) {
  ExpectBecomes(R"(
    %x = input                             : f32[N,8,4,5]
    %0 = sum %x {axes = [0, 2, 3]}         : f32[8]
    return %0)",
                R"(
    %x = input                             : f32[N,8,4,5]
    %0 = sum %x {axes = [2, 3]}            : f32[N,8]
    %1 = sum %0 {axes = [0]}               : f32[8]
    return %1)");
}

TEST(CanonicalReductions, ReshapesInsteadOfKeepingAxes) {
  ExpectBecomes(R"(
    %x = input                                           : f32[N,3]
    %0 = reduce_max %x {axes = [1], keepdims = true}     : f32[N,1]
    %1 = sum %x {axes = [0, 1], keepdims = true}         : f32[1,1]
    return a = %0, b = %1)",
                R"(
    %x = input                           : f32[N,3]
    %0 = reduce_max %x {axes = [1]}      : f32[N]
    %1 = reshape %0                      : f32[N,1]
    %2 = sum %x {axes = [0, 1]}          : f32[]
    %3 = reshape %2                      : f32[1,1]
    return a = %1, b = %3)");
}

TEST(CanonicalReductions, ReshapesAxesOfOneAway) {
  ExpectBecomes(R"(
    %x = input                                    : f32[4,1,N,1]
    %0 = sum %x {axes = [0, 1, 3]}                : f32[N]
    %1 = sum %x {axes = [1], keepdims = true}     : f32[4,1,N,1]
    return a = %0, b = %1)",
                R"(
    %x = input                        : f32[4,1,N,1]
    %0 = sum %x {axes = [0]}          : f32[1,N,1]
    %1 = reshape %0                   : f32[N]
    return a = %1, b = %x)");
}

TEST(CanonicalReductions, GoesAxisByAxisOverALargeArray) {
  ExpectBecomes(R"(
    %x = input                     : f32[8,16,64]
    %0 = sum %x {axes = [0, 1, 2]} : f32[]
    return %0)",
                R"(
    %x = input               : f32[8,16,64]
    %0 = sum %x {axes = [2]} : f32[8,16]
    %1 = sum %0 {axes = [1]} : f32[8]
    %2 = sum %1 {axes = [0]} : f32[]
    return %2)");
  // The rows of one of many are shared already; small arrays and short rows are not worth it.
  const char* text = R"(
    %x = input                       : f32[8,64,64]
    %y = input                       : f32[63,64]
    %z = input                       : f32[64,64,63]
    %0 = sum %x {axes = [1, 2]}      : f32[8]
    %1 = sum %y {axes = [0, 1]}      : f32[]
    %2 = sum %z {axes = [0, 1, 2]}   : f32[]
    return a = %0, b = %1, c = %2)";
  ExpectBecomes(text, text);
}

TEST(CanonicalReductions, LeavesOneRunAndArgmaxAlone) {
  const char* text = R"(
    %x = input                   : f32[N,3]
    %0 = sum %x {axes = [0, 1]}  : f32[]
    %1 = argmax %x {axis = 1}    : i32[N]
    return a = %0, b = %1)";
  ExpectBecomes(text, text);
}

}  // namespace
}  // namespace fusebox
