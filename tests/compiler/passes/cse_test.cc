// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/cse.h"

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using testing::ExpectSameValues;
using ::testing::HasSubstr;
using testing::ParseGraph;
using testing::StatusHasMessage;

void ExpectBecomes(std::string_view before, std::string_view after) {
  const Graph graph = ParseGraph(before);
  ASSERT_OK_AND_ASSIGN(const Graph merged, EliminateCommonSubexpressions(graph));
  EXPECT_EQ(Print(merged), Canonical(after));
  ExpectSameValues(graph, merged);
}

TEST(Cse, MergesEqualNodesAndWhatFollowsFromThem) {
  ExpectBecomes(R"(
    %x = input           : f32[N]
    %0 = exp %x          : f32[N]  @a
    %1 = exp %x          : f32[N]  @b
    %2 = negate %0       : f32[N]
    %3 = negate %1       : f32[N]
    %4 = subtract %2, %3 : f32[N]
    return %4)",
                R"(
    %x = input           : f32[N]
    %0 = exp %x          : f32[N]  @a
    %1 = negate %0       : f32[N]
    %2 = subtract %1, %1 : f32[N]
    return %2)");
}

// Numbers are compared by all their bits, not by a text of six digits.
TEST(Cse, TellsSmallNumbersApart) {
  const std::string text = R"(
    %x = input            : f32[N]
    %0 = constant 1e-07   : f32[]
    %1 = constant 2e-07   : f32[]
    %2 = add %x, %0       : f32[N]
    %3 = add %x, %1       : f32[N]
    %4 = divide %2, %3    : f32[N]
    return %4)";
  ExpectBecomes(text, text);
}

TEST(Cse, KnowsWhatCommutes) {
  ExpectBecomes(R"(
    %x = input           : f32[N]
    %y = input           : f32[N]
    %0 = add %x, %y      : f32[N]
    %1 = add %y, %x      : f32[N]
    %2 = subtract %x, %y : f32[N]
    %3 = subtract %y, %x : f32[N]
    return a = %0, b = %1, c = %2, d = %3)",
                R"(
    %x = input           : f32[N]
    %y = input           : f32[N]
    %0 = add %x, %y      : f32[N]
    %1 = subtract %x, %y : f32[N]
    %2 = subtract %y, %x : f32[N]
    return a = %0, b = %0, c = %1, d = %2)");
}

TEST(Cse, LooksAtAttributesAndTypes) {
  ExpectBecomes(R"(
    %x = input                                       : f32[N,3]
    %0 = sum %x {axes = [1]}                         : f32[N]
    %1 = sum %x {axes = [1], keepdims = false}       : f32[N]
    %2 = sum %x {axes = [1], keepdims = true}        : f32[N,1]
    %3 = sum %x {axes = [0]}                         : f32[3]
    %4 = cast %x                                     : f64[N,3]
    %5 = cast %x                                     : i32[N,3]
    return a = %0, b = %1, c = %2, d = %3, e = %4, f = %5)",
                R"(
    %x = input                                       : f32[N,3]
    %0 = sum %x {axes = [1]}                         : f32[N]
    %1 = sum %x {axes = [1], keepdims = true}        : f32[N,1]
    %2 = sum %x {axes = [0]}                         : f32[3]
    %3 = cast %x                                     : f64[N,3]
    %4 = cast %x                                     : i32[N,3]
    return a = %0, b = %0, c = %1, d = %2, e = %3, f = %4)");
}

TEST(Cse, TellsConstantsApartByTheirBits) {
  ExpectBecomes(R"(
    %0 = constant 0    : f32[]
    %1 = constant -0   : f32[]
    %2 = constant nan  : f32[]
    %3 = constant nan  : f32[]
    %4 = constant 0    : f64[]
    %5 = constant 0    : f32[]
    return a = %0, b = %1, c = %2, d = %3, e = %4, f = %5)",
                R"(
    %0 = constant 0    : f32[]
    %1 = constant -0   : f32[]
    %2 = constant nan  : f32[]
    %3 = constant 0    : f64[]
    return a = %0, b = %1, c = %2, d = %2, e = %3, f = %0)");
}

TEST(Cse, KeepsStreamsOfRandomNumbersApart) {
  ExpectBecomes(R"(
    %seed = state {kind = "scalar"}                   : i64[]
    %step = state {kind = "counter"}                  : i64[]
    %0 = random_uniform %seed, %step {stream = 0}     : f32[3]
    %1 = random_uniform %seed, %step {stream = 1}     : f32[3]
    %2 = random_uniform %seed, %step {stream = 0}     : f32[3]
    return a = %0, b = %1, c = %2)",
                R"(
    %seed = state {kind = "scalar"}                   : i64[]
    %step = state {kind = "counter"}                  : i64[]
    %0 = random_uniform %seed, %step {stream = 0}     : f32[3]
    %1 = random_uniform %seed, %step {stream = 1}     : f32[3]
    return a = %0, b = %1, c = %0)");
}

TEST(Cse, RefusesAGraphWithGradients) {
  const Graph graph = ParseGraph(R"(
    %x = input            : f32[]
    %0 = gradient %x, %x  : f32[]
    return %0)");
  EXPECT_THAT(EliminateCommonSubexpressions(graph),
              StatusHasMessage(HasSubstr("cse: expects a graph without gradient")));
}

}  // namespace
}  // namespace fusebox
