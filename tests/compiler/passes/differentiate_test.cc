// SPDX-License-Identifier: Apache-2.0
// The nodes that the sweep writes, and their places. The gradient sweep tests the gradients of single ops.
#include "fusebox/compiler/passes/differentiate.h"

#include "fusebox/compiler/passes/inline_calls.h"
#include "fusebox/compiler/passes/simplify.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ParseGraph;
using testing::StatusHasMessage;

Graph Differentiated(const Graph& graph) {
  absl::StatusOr<Graph> result = Differentiate(graph);
  EXPECT_OK(result);
  if (!result.ok()) return Graph();
  EXPECT_OK(Verify(*result, Stage::kFlat));
  return *std::move(result);
}

// The output's values, for x = input f64[3] or similar.
std::vector<double> OutputOf(const Graph& graph, const std::string& output, const std::vector<double>& x) {
  Bindings bindings;
  bindings.inputs["x"] = Literal::Of<double>({int64_t(x.size())}, x);
  bindings.batch = int64_t(x.size());
  const absl::StatusOr<Evaluation> result = Evaluate(graph, bindings);
  EXPECT_OK(result);
  return result.ok() ? result->outputs.at(output).ToDoubles() : std::vector<double>();
}

// Ops here have one operand each: for two operands, the C++ compiler chooses the order in which a gradient rule writes
// their parts.
TEST(Differentiate, WritesOneSweep) {
  const Graph graph = ParseGraph(R"(
    %x = input                  : f32[N]
    %w = input                  : f32[N]
    %0 = exp %x                 : f32[N]  @dense
    %1 = log %w                 : f32[N]  @other
    %2 = add %0, %1             : f32[N]
    %3 = sum %2 {axes = [0]}    : f32[]  @loss
    %4 = gradient %3, %x        : f32[N]
    %5 = gradient %3, %w        : f32[N]
    return loss = %3, dx = %4, dw = %5)");
  EXPECT_EQ(Print(Differentiated(graph)), Canonical(R"(
    %x = input                  : f32[N]
    %w = input                  : f32[N]
    %0 = exp %x                 : f32[N]  @dense
    %1 = log %w                 : f32[N]  @other
    %2 = add %0, %1             : f32[N]
    %3 = sum %2 {axes = [0]}    : f32[]  @loss
    %4 = constant 1             : f32[]  @loss
    %5 = reshape %4             : f32[1]  @loss
    %6 = broadcast %5           : f32[N]  @loss
    %7 = divide %6, %w          : f32[N]  @other
    %8 = multiply %6, %0        : f32[N]  @dense
    return loss = %3, dx = %8, dw = %7)"));
}

// A text of some lines whose gradients would take all memory is refused.
TEST(Differentiate, RefusesGradientsOfGradientsWithoutEnd) {
  std::string text = R"(
    %x = input : f32[N]
    %w = state {kind = "weight"} : f32[]
    %a = multiply %x, %w : f32[N]
    %t = tanh %a : f32[N]
    %l0 = sum %t {axes = [0]} : f32[])";
  for (int i = 1; i <= 40; ++i) text += fmt::format("\n    %l{} = gradient %l{}, %w : f32[]", i, i - 1);
  const absl::StatusOr<Graph> graph = Differentiate(ParseGraph(text + "\n    return %l40"));
  EXPECT_TRUE(absl::IsResourceExhausted(graph.status()));
  EXPECT_THAT(graph.status(), StatusHasMessage(::testing::MatchesRegex(
                                  "differentiate: the program of 45 operations has [0-9]+ with the "
                                  "gradients of '%[l0-9]+', expected at most 500000: .*")));
}

TEST(Differentiate, WritesNothingThatNobodyAskedFor) {
  const Graph graph = ParseGraph(R"(
    %x = input                  : f32[N,4]
    %w = input                  : f32[4,3]
    %0 = matmul %x, %w          : f32[N,3]
    %1 = sum %0 {axes = [0, 1]} : f32[]
    %2 = gradient %1, %w        : f32[4,3]
    return %2)");
  EXPECT_EQ(Print(Differentiated(graph)), Canonical(R"(
    %x = input                   : f32[N,4]
    %0 = constant 1              : f32[]
    %1 = reshape %0              : f32[1,1]
    %2 = broadcast %1            : f32[N,3]
    %3 = matmul %x, %2 {transpose_a = true, transpose_b = false} : f32[4,3]
    return %3)"));
}

TEST(Differentiate, AddsTheGradientsOfAllUsesFromTheLastOneBack) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[]
    %0 = exp %x               : f64[]
    %1 = negate %x            : f64[]
    %2 = add %0, %1           : f64[]
    %3 = log %x               : f64[]
    %4 = add %2, %3           : f64[]
    %5 = gradient %4, %x      : f64[]
    return %5)");
  EXPECT_EQ(Print(Differentiated(graph)), Canonical(R"(
    %x = input                : f64[]
    %0 = exp %x               : f64[]
    %1 = constant 1           : f64[]
    %2 = divide %1, %x        : f64[]
    %3 = negate %1            : f64[]
    %4 = add %2, %3           : f64[]
    %5 = multiply %1, %0      : f64[]
    %6 = add %4, %5           : f64[]
    return %6)"));
}

// d(x x)/dx: both operands of one node.
TEST(Differentiate, AddsTheGradientsOfBothOperands) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[N]
    %0 = multiply %x, %x      : f64[N]
    %1 = sum %0 {axes = [0]}  : f64[]
    %2 = gradient %1, %x      : f64[N]
    return g = %2)");
  EXPECT_THAT(OutputOf(Differentiated(graph), "g", {2, 3, 5}), ElementsAre(4, 6, 10));
}

TEST(Differentiate, PassesNothingThroughStopGradient) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[N]
    %0 = stop_gradient %x     : f64[N]
    %1 = multiply %0, %x      : f64[N]
    %2 = sum %1 {axes = [0]}  : f64[]
    %3 = gradient %2, %x      : f64[N]
    return g = %3)");
  EXPECT_THAT(OutputOf(Differentiated(graph), "g", {2, 3, 5}), ElementsAre(2, 3, 5));
}

TEST(Differentiate, GivesZerosWhereTheLossDoesNotDepend) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[N]
    %z = input                : f32[N,2]
    %s = input                : f64[]
    %0 = sum %x {axes = [0]}  : f64[]
    %1 = gradient %0, %z      : f32[N,2]
    %2 = gradient %0, %s      : f64[]
    %3 = floor %x             : f64[N]
    %4 = sum %3 {axes = [0]}  : f64[]
    %5 = gradient %4, %x      : f64[N]
    %6 = exp %0               : f64[]
    %7 = gradient %0, %6      : f64[]
    return a = %1, b = %2, c = %5, d = %7)");
  EXPECT_EQ(Print(Differentiated(graph)), Canonical(R"(
    %0 = constant 0    : f32[]
    %1 = broadcast %0  : f32[N,2]
    %2 = constant 0    : f64[]
    %3 = constant 0    : f64[]
    %4 = broadcast %3  : f64[N]
    %5 = constant 0    : f64[]
    return a = %1, b = %2, c = %4, d = %5)"));
}

TEST(Differentiate, DerivesALossByItself) {
  const Graph graph = ParseGraph(R"(
    %x = input            : f64[]
    %0 = gradient %x, %x  : f64[]
    return %0)");
  EXPECT_EQ(Print(Differentiated(graph)), Canonical("%0 = constant 1 : f64[]\nreturn %0"));
}

TEST(Differentiate, DerivesByIntermediateValues) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[N]
    %0 = exp %x               : f64[N]
    %1 = multiply %0, %0      : f64[N]
    %2 = sum %1 {axes = [0]}  : f64[]
    %3 = gradient %2, %0      : f64[N]
    %4 = gradient %2, %x      : f64[N]
    return h = %3, x = %4)");
  const Graph result = Differentiated(graph);
  EXPECT_THAT(OutputOf(result, "h", {0, 0}), ElementsAre(2, 2));
  EXPECT_THAT(OutputOf(result, "x", {0, 0}), ElementsAre(2, 2));
}

TEST(Differentiate, LetsLaterNodesUseAGradient) {
  const Graph graph = ParseGraph(R"(
    %x = input                          : f64[3]
    %w = state {kind = "weight"}        : f64[3]
    %0 = multiply %x, %w                : f64[3]
    %1 = sum %0 {axes = [0]}            : f64[]
    %2 = gradient %1, %w                : f64[3]
    %3 = subtract %w, %2                : f64[3]
    update %w = %3
    return loss = %1)");
  const Graph result = Differentiated(graph);
  Bindings bindings;
  bindings.inputs["x"] = Literal::Of<double>({3}, {1, 2, 3});
  bindings.states["w"] = Literal::Of<double>({3}, {10, 10, 10});
  ASSERT_OK_AND_ASSIGN(const Evaluation step, Evaluate(result, bindings));
  EXPECT_THAT(step.states.at("w").ToDoubles(), ElementsAre(9, 8, 7));
}

// l = sum x^3, g = dl/dx = 3 x^2, dg/dx = 6 x.
TEST(Differentiate, DerivesGradients) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[N]
    %0 = multiply %x, %x      : f64[N]
    %1 = multiply %0, %x      : f64[N]
    %2 = sum %1 {axes = [0]}  : f64[]
    %3 = gradient %2, %x      : f64[N]
    %4 = sum %3 {axes = [0]}  : f64[]
    %5 = gradient %4, %x      : f64[N]
    %6 = sum %5 {axes = [0]}  : f64[]
    %7 = gradient %6, %x      : f64[N]
    return g = %3, h = %5, k = %7)");
  const Graph result = Differentiated(graph);
  EXPECT_THAT(OutputOf(result, "g", {2, 3}), ElementsAre(12, 27));
  EXPECT_THAT(OutputOf(result, "h", {2, 3}), ElementsAre(12, 18));
  EXPECT_THAT(OutputOf(result, "k", {2, 3}), ElementsAre(6, 6));
}

// For l = a + b both gradients are the same node 1; f = ga^2 + 3 gb still has the derivatives 2 ga and 3.
TEST(Differentiate, TellsApartGradientsThatAreOneNode) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f64[2]
    %0 = slice %x {axis = 0, begin = 0, end = 1} : f64[1]
    %1 = slice %x {axis = 0, begin = 1, end = 2} : f64[1]
    %2 = add %0, %1           : f64[1]
    %3 = sum %2 {axes = [0]}  : f64[]
    %4 = gradient %3, %0      : f64[1]
    %5 = gradient %3, %1      : f64[1]
    %6 = multiply %4, %4      : f64[1]
    %7 = multiply %5, 3       : f64[1]
    %8 = add %6, %7           : f64[1]
    %9 = sum %8 {axes = [0]}  : f64[]
    %10 = gradient %9, %4     : f64[1]
    %11 = gradient %9, %5     : f64[1]
    return a = %10, b = %11)");
  const Graph result = Differentiated(graph);
  EXPECT_THAT(OutputOf(result, "a", {7, 7}), ElementsAre(2));
  EXPECT_THAT(OutputOf(result, "b", {7, 7}), ElementsAre(3));
}

// The backward pass of relu reads only its output, so its input is not kept.
TEST(Differentiate, KeepsOnlyReluOutputs) {
  const Graph graph = ParseGraph(R"(
    %x = input                : f32[N]
    %0 = max %x, 0            : f32[N]
    %1 = sum %0 {axes = [0]}  : f32[]
    %2 = gradient %1, %x      : f32[N]
    return %2)");
  ASSERT_OK_AND_ASSIGN(const Graph simple, Simplify(Differentiated(graph)));
  EXPECT_EQ(Print(simple), Canonical(R"(
    %x = input               : f32[N]
    %0 = constant 0          : f32[]
    %1 = max %x, %0          : f32[N]
    %2 = constant 1          : f32[]
    %3 = less %0, %1         : bool[N]
    %4 = constant 0          : f32[]
    %5 = select %3, %2, %4   : f32[N]
    return %5)"));
}

TEST(Differentiate, NewNodesNameTheLineOfTheOldOnes) {
  GraphBuilder b;
  const Value x = b.Input("x", {DType::kF32, {}});
  const Value y = Exp(x);
  b.Output("g", Gradient(y, x));
  const std::string line = b.graph()[y.id].source;
  ASSERT_THAT(line, HasSubstr("differentiate_test.cc:"));
  const Graph result = Differentiated(b.graph());
  EXPECT_EQ(result[result.outputs()[0].value].op, Op::kMultiply);
  EXPECT_EQ(result[result.outputs()[0].value].source, line);
}

constexpr const char* kGradientThroughACall = R"(
    %x = input                : f64[N]
    %0 = call %x              : f64[N] @layer {
      %arg0 = input {name = "0"} : f64[N]
      %0 = multiply %arg0, %arg0 : f64[N]
      return %0
    }
    %1 = sum %0 {axes = [0]}  : f64[]
    %2 = gradient %1, %x      : f64[N]
    return g = %2)";

TEST(Differentiate, RefusesACallOnTheWay) {
  EXPECT_THAT(Differentiate(ParseGraph(kGradientThroughACall)),
              StatusHasMessage(HasSubstr("differentiate: a call is on the way to the loss")));
}

TEST(Differentiate, TakesWhatWasInlined) {
  ASSERT_OK_AND_ASSIGN(const Graph flat, InlineCalls(ParseGraph(kGradientThroughACall)));
  EXPECT_THAT(OutputOf(Differentiated(flat), "g", {2, 5}), ElementsAre(4, 10));
}

TEST(Differentiate, LeavesAGraphWithoutGradientsAlone) {
  const std::string text = Canonical(R"(
    %x = input   : f32[N]
    %0 = exp %x  : f32[N]
    return %0)");
  EXPECT_EQ(Print(Differentiated(ParseGraph(text))), text);
}

}  // namespace
}  // namespace fusebox
