// SPDX-License-Identifier: Apache-2.0
// One test per rule: text before, text after, and equal values.
#include "fusebox/compiler/passes/simplify.h"

#include <limits>

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
  ASSERT_OK_AND_ASSIGN(const Graph simple, Simplify(graph));
  EXPECT_EQ(Print(simple), Canonical(after));
  ExpectSameValues(graph, simple);
}
void ExpectStays(std::string_view text) { ExpectBecomes(text, text); }

// ---- arithmetic.cc

TEST(Simplify, FoldsConstants) {
  ExpectBecomes(R"(
    %x = input        : f32[N]
    %0 = constant 3   : f32[]
    %1 = constant 4   : f32[]
    %2 = multiply %0, %1 : f32[]
    %3 = negate %2    : f32[]
    %4 = add %x, %3   : f32[N]
    return %4)",
                R"(
    %x = input        : f32[N]
    %0 = constant -12 : f32[]
    %1 = add %x, %0   : f32[N]
    return %1)");
}

TEST(Simplify, FoldsConstantsAsTheirDtypeDoes) {
  ExpectBecomes(R"(
    %0 = constant 7    : i32[]
    %1 = constant -2   : i32[]
    %2 = divide %0, %1 : i32[]
    %3 = constant 0.1  : f32[]
    %4 = cast %3       : f64[]
    %5 = less %0, %1   : bool[]
    %6 = constant 0    : f32[]
    %7 = divide %6, %6 : f32[]
    return a = %2, b = %4, c = %5, d = %7)",
                R"(
    %0 = constant -3   : i32[]
    %1 = constant 0.10000000149011612  : f64[]
    %2 = constant 0    : bool[]
    %3 = constant nan  : f32[]
    return a = %0, b = %1, c = %2, d = %3)");
}

// For integers -(a / b) and (-a) / b are not the same where a is the least of them.
TEST(Simplify, LeavesTheSignInAQuotientOfIntegers) {
  ExpectStays(R"(
    %a = input            : i32[N]
    %b = input            : i32[N]
    %c = input            : i32[N]
    %0 = negate %b        : i32[N]
    %1 = divide %0, %c    : i32[N]
    %2 = add %a, %1       : i32[N]
    return %2)");
}

TEST(Simplify, FoldsNoIntegerThatAConstantCannotSay) {
  ExpectStays(R"(
    %0 = constant 94906267 : i64[]
    %1 = multiply %0, %0   : i64[]
    return %1)");
}

TEST(Simplify, DropsZeroAdded) {
  ExpectBecomes(R"(
    %x = input           : f32[N,3]
    %0 = constant 0      : f32[]
    %1 = add %x, %0      : f32[N,3]
    %2 = add %0, %1      : f32[N,3]
    %3 = subtract %2, %0 : f32[N,3]
    return %3)",
                R"(
    %x = input           : f32[N,3]
    return %x)");
}

TEST(Simplify, StretchesWhatZerosWereAddedTo) {
  ExpectBecomes(R"(
    %x = input           : f32[3]
    %0 = constant 0      : f32[]
    %1 = broadcast %0    : f32[N,3]
    %2 = add %x, %1      : f32[N,3]
    return %2)",
                R"(
    %x = input           : f32[3]
    %0 = broadcast %x    : f32[N,3]
    return %0)");
}

TEST(Simplify, KeepsZeroMinusX) {
  ExpectStays(R"(
    %x = input           : f32[N]
    %0 = constant 0      : f32[]
    %1 = subtract %0, %x : f32[N]
    return %1)");
}

TEST(Simplify, DropsFactorsOfOne) {
  ExpectBecomes(R"(
    %x = input           : f32[N]
    %0 = constant 1      : f32[]
    %1 = multiply %0, %x : f32[N]
    %2 = divide %1, %0   : f32[N]
    %3 = constant -1     : f32[]
    %4 = multiply %2, %3 : f32[N]
    return %4)",
                R"(
    %x = input           : f32[N]
    %0 = negate %x       : f32[N]
    return %0)");
}

TEST(Simplify, KeepsAFactorOfZero) {
  ExpectStays(R"(
    %x = input           : f32[N]
    %0 = constant 0      : f32[]
    %1 = multiply %x, %0 : f32[N]
    return %1)");
}

TEST(Simplify, KeepsMinusOneOfUnsigned) {
  ExpectStays(R"(
    %x = input           : u8[N]
    %0 = constant -1     : u8[]
    %1 = multiply %x, %0 : u8[N]
    return %1)");
}

TEST(Simplify, CancelsNegations) {
  ExpectBecomes(R"(
    %x = input      : f32[N]
    %0 = negate %x  : f32[N]
    %1 = negate %0  : f32[N]
    %b = input      : bool[N]
    %2 = not %b     : bool[N]
    %3 = not %2     : bool[N]
    return a = %1, b = %3)",
                R"(
    %x = input      : f32[N]
    %b = input      : bool[N]
    return a = %x, b = %b)");
}

TEST(Simplify, PullsNegationsIntoSums) {
  ExpectBecomes(R"(
    %a = input            : f32[N]
    %b = input            : f32[N]
    %0 = negate %b        : f32[N]
    %1 = add %a, %0       : f32[N]
    %2 = add %0, %a       : f32[N]
    %3 = subtract %a, %0  : f32[N]
    return x = %1, y = %2, z = %3)",
                R"(
    %a = input            : f32[N]
    %b = input            : f32[N]
    %0 = subtract %a, %b  : f32[N]
    %1 = subtract %a, %b  : f32[N]
    %2 = add %a, %b       : f32[N]
    return x = %0, y = %1, z = %2)");
}

TEST(Simplify, PullsTheSignOfAProductIntoTheSum) {
  ExpectBecomes(R"(
    %a = input            : f32[N]
    %b = input            : f32[N]
    %s = input            : f32[]
    %0 = negate %s        : f32[]
    %1 = multiply %0, %b  : f32[N]
    %2 = add %1, %a       : f32[N]
    %3 = divide %b, %0    : f32[N]
    %4 = subtract %2, %3  : f32[N]
    return %4)",
                R"(
    %a = input            : f32[N]
    %b = input            : f32[N]
    %s = input            : f32[]
    %0 = multiply %s, %b  : f32[N]
    %1 = subtract %a, %0  : f32[N]
    %2 = divide %b, %s    : f32[N]
    %3 = add %1, %2       : f32[N]
    return %3)");
}

TEST(Simplify, CancelsSignsInProducts) {
  ExpectBecomes(R"(
    %a = input            : f32[N]
    %b = input            : f32[N]
    %0 = negate %a        : f32[N]
    %1 = negate %b        : f32[N]
    %2 = multiply %0, %1  : f32[N]
    %3 = divide %0, %1    : f32[N]
    return x = %2, y = %3)",
                R"(
    %a = input            : f32[N]
    %b = input            : f32[N]
    %0 = multiply %a, %b  : f32[N]
    %1 = divide %a, %b    : f32[N]
    return x = %0, y = %1)");
}

TEST(Simplify, TakesOneOfEquals) {
  ExpectBecomes(R"(
    %x = input        : f32[N]
    %b = input        : bool[N]
    %0 = max %x, %x   : f32[N]
    %1 = min %0, %0   : f32[N]
    %2 = and %b, %b   : bool[N]
    %3 = or %2, %2    : bool[N]
    return a = %1, b = %3)",
                R"(
    %x = input        : f32[N]
    %b = input        : bool[N]
    return a = %x, b = %b)");
}

TEST(Simplify, SelectsWhereTheChoiceIsKnown) {
  ExpectBecomes(R"(
    %x = input               : f32[N]
    %y = input               : f32[N]
    %c = input               : bool[N]
    %0 = select %c, %x, %x   : f32[N]
    %1 = constant 1          : bool[]
    %2 = select %1, %x, %y   : f32[N]
    %3 = constant 0          : bool[]
    %4 = select %3, %x, %y   : f32[N]
    %5 = not %c              : bool[N]
    %6 = select %5, %x, %y   : f32[N]
    return a = %0, b = %2, c = %4, d = %6)",
                R"(
    %x = input               : f32[N]
    %y = input               : f32[N]
    %c = input               : bool[N]
    %0 = select %c, %y, %x   : f32[N]
    return a = %x, b = %x, c = %y, d = %0)");
}

TEST(Simplify, DropsCastsToTheSameDtypeAndStopGradients) {
  ExpectBecomes(R"(
    %x = input             : f32[N]
    %0 = cast %x           : f32[N]
    %1 = stop_gradient %0  : f32[N]
    %2 = cast %1           : f64[N]
    return %2)",
                R"(
    %x = input             : f32[N]
    %0 = cast %x           : f64[N]
    return %0)");
}

TEST(Simplify, DropsAttributesThatSayNothing) {
  ExpectBecomes(R"(
    %x = input                           : f32[N,3]
    %0 = sum %x {axes = [1], keepdims = false} : f32[N]
    return %0)",
                R"(
    %x = input                           : f32[N,3]
    %0 = sum %x {axes = [1]}             : f32[N]
    return %0)");
}

// ---- broadcasts.cc

TEST(Simplify, LetsElementwiseOpsBroadcast) {
  ExpectBecomes(R"(
    %x = input            : f32[N,3]
    %s = input            : f32[]
    %b = input            : f32[3]
    %0 = broadcast %s     : f32[N,3]
    %1 = multiply %0, %x  : f32[N,3]
    %2 = broadcast %b     : f32[N,3]
    %3 = add %1, %2       : f32[N,3]
    %4 = reshape %b       : f32[1,3]
    %5 = subtract %3, %4  : f32[N,3]
    return %5)",
                R"(
    %x = input            : f32[N,3]
    %s = input            : f32[]
    %b = input            : f32[3]
    %0 = multiply %s, %x  : f32[N,3]
    %1 = add %0, %b       : f32[N,3]
    %2 = subtract %1, %b  : f32[N,3]
    return %2)");
}

TEST(Simplify, ComputesOnceWhatIsRepeated) {
  ExpectBecomes(R"(
    %x = input            : f32[N,1]
    %b = input            : f32[3]
    %0 = broadcast %x     : f32[N,3]
    %1 = exp %0           : f32[N,3]
    %2 = broadcast %b     : f32[5,N,3]
    %3 = add %1, %2       : f32[5,N,3]
    return %3)",
                R"(
    %x = input            : f32[N,1]
    %b = input            : f32[3]
    %0 = exp %x           : f32[N,1]
    %1 = add %0, %b       : f32[N,3]
    %2 = broadcast %1     : f32[5,N,3]
    return %2)");
}

TEST(Simplify, JoinsBroadcasts) {
  ExpectBecomes(R"(
    %x = input         : f32[3]
    %0 = reshape %x    : f32[1,3]
    %1 = broadcast %0  : f32[4,3]
    %2 = broadcast %1  : f32[N,4,3]
    return %2)",
                R"(
    %x = input         : f32[3]
    %0 = broadcast %x  : f32[N,4,3]
    return %0)");
}

TEST(Simplify, ReshapesWhereNothingIsRepeated) {
  ExpectBecomes(R"(
    %x = input         : f32[N,3]
    %0 = broadcast %x  : f32[1,N,3]
    %1 = broadcast %x  : f32[N,3]
    return a = %0, b = %1)",
                R"(
    %x = input         : f32[N,3]
    %0 = reshape %x    : f32[1,N,3]
    return a = %0, b = %x)");
}

TEST(Simplify, MovesNoCopiesOfOneElement) {
  ExpectBecomes(R"(
    %x = input                                 : f32[1]
    %0 = broadcast %x                          : f32[N,6]
    %1 = reshape %0                            : f32[N,2,3]
    %2 = transpose %1 {permutation = [2, 0, 1]} : f32[3,N,2]
    %3 = slice %2 {axis = 0, begin = 1, end = 2} : f32[1,N,2]
    return %3)",
                R"(
    %x = input                                 : f32[1]
    %0 = reshape %x                            : f32[]
    %1 = broadcast %0                          : f32[1,N,2]
    return %1)");
}

// ---- movement.cc

TEST(Simplify, DropsMovementThatMovesNothing) {
  ExpectBecomes(R"(
    %x = input                                    : f32[N,3]
    %0 = reshape %x                               : f32[N,3]
    %1 = transpose %0 {permutation = [0, 1]}      : f32[N,3]
    %2 = slice %1 {axis = 1, begin = 0, end = 3}  : f32[N,3]
    %3 = pad %2 {after = 0, axis = 1, before = 0} : f32[N,3]
    %4 = concatenate %3 {axis = 1}                : f32[N,3]
    return %4)",
                R"(
    %x = input                                    : f32[N,3]
    return %x)");
}

TEST(Simplify, KeepsATransposeOfASquare) {
  ExpectStays(R"(
    %x = input                               : f32[3,3]
    %0 = transpose %x {permutation = [1, 0]} : f32[3,3]
    return %0)");
}

TEST(Simplify, JoinsReshapes) {
  ExpectBecomes(R"(
    %x = input       : f32[N,6]
    %0 = reshape %x  : f32[N,2,3]
    %1 = reshape %0  : f32[6*N]
    %2 = reshape %1  : f32[N,6]
    return a = %1, b = %2)",
                R"(
    %x = input       : f32[N,6]
    %0 = reshape %x  : f32[6*N]
    return a = %0, b = %x)");
}

TEST(Simplify, MovesReshapesBelowElementwiseOps) {
  ExpectBecomes(R"(
    %x = input           : f32[N]
    %y = input           : f32[N]
    %s = input           : f32[]
    %0 = reshape %x      : f32[N,1]
    %1 = reshape %y      : f32[N,1]
    %2 = add %0, %1      : f32[N,1]
    %3 = multiply %s, %2 : f32[N,1]
    %4 = reshape %3      : f32[N]
    return %4)",
                R"(
    %x = input           : f32[N]
    %y = input           : f32[N]
    %s = input           : f32[]
    %0 = add %x, %y      : f32[N]
    %1 = multiply %s, %0 : f32[N]
    return %1)");
}

TEST(Simplify, JoinsTransposes) {
  ExpectBecomes(R"(
    %x = input                                  : f32[N,3,5]
    %0 = transpose %x {permutation = [1, 2, 0]} : f32[3,5,N]
    %1 = transpose %0 {permutation = [1, 0, 2]} : f32[5,3,N]
    %2 = transpose %0 {permutation = [2, 0, 1]} : f32[N,3,5]
    return a = %1, b = %2)",
                R"(
    %x = input                                  : f32[N,3,5]
    %0 = transpose %x {permutation = [2, 1, 0]} : f32[5,3,N]
    return a = %0, b = %x)");
}

TEST(Simplify, ReshapesWhereOnlyOnesMove) {
  ExpectBecomes(R"(
    %x = input                                  : f32[N,1,5]
    %0 = transpose %x {permutation = [1, 0, 2]} : f32[1,N,5]
    return %0)",
                R"(
    %x = input                                  : f32[N,1,5]
    %0 = reshape %x                             : f32[1,N,5]
    return %0)");
}

TEST(Simplify, JoinsSlices) {
  ExpectBecomes(R"(
    %x = input                                   : f32[N,9]
    %0 = slice %x {axis = 1, begin = 2, end = 8} : f32[N,6]
    %1 = slice %0 {axis = 1, begin = 1, end = 4} : f32[N,3]
    return %1)",
                R"(
    %x = input                                   : f32[N,9]
    %0 = slice %x {axis = 1, begin = 3, end = 6} : f32[N,3]
    return %0)");
}

// ---- reductions.cc

TEST(Simplify, ReducesNothing) {
  ExpectBecomes(R"(
    %x = input                          : f32[N,1,3]
    %0 = sum %x {axes = [1]}            : f32[N,3]
    %1 = reduce_max %x {axes = []}      : f32[N,1,3]
    return a = %0, b = %1)",
                R"(
    %x = input                          : f32[N,1,3]
    %0 = reshape %x                     : f32[N,3]
    return a = %0, b = %x)");
}

TEST(Simplify, MultipliesInsteadOfAddingRepeats) {
  ExpectBecomes(R"(
    %x = input                                    : f32[N,1]
    %0 = broadcast %x                             : f32[2,N,5]
    %1 = sum %0 {axes = [0, 2]}                   : f32[N]
    %2 = sum %0 {axes = [2], keepdims = true}     : f32[2,N,1]
    %3 = reduce_max %0 {axes = [2]}               : f32[2,N]
    return a = %1, b = %2, c = %3)",
                R"(
    %x = input             : f32[N,1]
    %0 = constant 10       : f32[]
    %1 = multiply %x, %0   : f32[N,1]
    %2 = reshape %1        : f32[N]
    %3 = constant 5        : f32[]
    %4 = multiply %x, %3   : f32[N,1]
    %5 = reshape %4        : f32[N]
    %6 = broadcast %5      : f32[2,N]
    %7 = reshape %6        : f32[2,N,1]
    %8 = reshape %x        : f32[N]
    %9 = broadcast %8      : f32[2,N]
    return a = %2, b = %7, c = %9)");
}

TEST(Simplify, KeepsSumsOfWhatIsNotRepeatedAKnownNumberOfTimes) {
  ExpectStays(R"(
    %x = input                : f32[3]
    %u = input                : u8[]
    %0 = broadcast %x         : f32[N,3]
    %1 = sum %0 {axes = [0]}  : f32[3]
    %2 = sum %0 {axes = [1]}  : f32[N]
    %3 = broadcast %u         : u8[300]
    %4 = sum %3 {axes = [0]}  : u8[]
    return a = %1, b = %2, c = %4)");
}

TEST(Simplify, ReadsMatMulOperandsTransposed) {
  ExpectBecomes(R"(
    %a = input                                                  : f32[4,N]
    %b = input                                                  : f32[5,4]
    %0 = transpose %a {permutation = [1, 0]}                    : f32[N,4]
    %1 = transpose %b {permutation = [1, 0]}                    : f32[4,5]
    %2 = matmul %0, %1                                          : f32[N,5]
    %3 = matmul %a, %2 {transpose_a = false}                    : f32[4,5]
    %4 = matmul %b, %1 {transpose_a = true, transpose_b = true} : f32[4,4]
    return a = %2, b = %3, c = %4)",
                R"(
    %a = input                                                  : f32[4,N]
    %b = input                                                  : f32[5,4]
    %0 = matmul %a, %b {transpose_a = true, transpose_b = true} : f32[N,5]
    %1 = matmul %a, %0                                          : f32[4,5]
    %2 = matmul %b, %b {transpose_a = true}                     : f32[4,4]
    return a = %0, b = %1, c = %2)");
}

TEST(Simplify, KnowsSizes) {
  ExpectBecomes(R"(
    %x = input                      : f32[N,28,2]
    %0 = extent %x {axes = [1, 2]}  : f32[]
    %1 = exp %x                     : f32[N,28,2]
    %2 = extent %1 {axes = [0, 2]}  : f32[]
    return a = %0, b = %2)",
                R"(
    %0 = constant 56                : f32[]
    %1 = constant 0                 : f32[]
    %2 = broadcast %1               : f32[2*N]
    %3 = extent %2 {axes = [0]}     : f32[]
    return a = %0, b = %3)");
}

TEST(Simplify, CountsAlongOneAxisOnly) {
  ExpectBecomes(R"(
    %y = input                 : i32[N]
    %0 = reshape %y            : i32[N,1]
    %1 = broadcast %0          : i32[N,10]
    %2 = iota %1 {axis = 1}    : i32[N,10]
    %3 = equal %2, %1          : bool[N,10]
    %4 = iota %1 {axis = 0}    : i32[N,10]
    return a = %3, b = %4)",
                R"(
    %y = input                 : i32[N]
    %0 = reshape %y            : i32[N,1]
    %1 = constant 0            : i32[]
    %2 = broadcast %1          : i32[10]
    %3 = iota %2 {axis = 0}    : i32[10]
    %4 = equal %3, %0          : bool[N,10]
    %5 = constant 0            : i32[]
    %6 = broadcast %5          : i32[N,1]
    %7 = iota %6 {axis = 0}    : i32[N,1]
    %8 = broadcast %7          : i32[N,10]
    return a = %4, b = %8)");
}

// ---- All rules together

TEST(Simplify, IsDoneWhenDone) {
  const Graph graph = ParseGraph(R"(
    %x = input                                : f32[N,6]
    %0 = constant 1                           : f32[]
    %1 = broadcast %0                         : f32[N,6]
    %2 = multiply %1, %x                      : f32[N,6]
    %3 = reshape %2                           : f32[N,2,3]
    %4 = negate %3                            : f32[N,2,3]
    %5 = sum %4 {axes = [2], keepdims = true} : f32[N,2,1]
    return %5)");
  ASSERT_OK_AND_ASSIGN(const Graph once, Simplify(graph));
  ASSERT_OK_AND_ASSIGN(const Graph twice, Simplify(once));
  EXPECT_EQ(Print(once), Print(twice));
  ExpectSameValues(graph, once);
}

TEST(Simplify, KeepsUpdatesOutputsFactsAndScopes) {
  ExpectBecomes(R"(
    program {loss = "mse"}
    %w = state {kind = "weight", trainable = false} : f32[3]
    %0 = constant 0                                 : f32[]
    %1 = add %w, %0                                 : f32[3]
    %2 = negate %1                                  : f32[3]  @dense
    update %w = %1
    return a = %2, b = %w)",
                R"(
    program {loss = "mse"}
    %w = state {kind = "weight", trainable = false} : f32[3]
    %0 = negate %w                                  : f32[3]  @dense
    update %w = %w
    return a = %0, b = %w)");
}

TEST(Simplify, RefusesAGraphWithGradients) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f32[3]
    %0 = sum %x {axes = [0]}  : f32[]
    %1 = gradient %0, %x      : f32[3]
    return %1)");
  EXPECT_THAT(Simplify(graph), StatusHasMessage(HasSubstr("simplify: expects a graph without gradient nodes")));
}

}  // namespace
}  // namespace fusebox
