// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/inline_calls.h"

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using ::testing::HasSubstr;
using testing::ParseGraph;
using testing::StatusHasMessage;

// Compares bit for bit: the nodes are the same.
void ExpectSameValues(const Graph& before, const Graph& after) {
  Bindings bindings;
  bindings.batch = 3;
  bindings.inputs["x"] = Literal::Of<float>({3}, {1.5F, -0.25F, 3});
  bindings.inputs["y"] = Literal::Of<float>({3}, {-2, 0.5F, 7});
  ASSERT_OK_AND_ASSIGN(const Evaluation expected, Evaluate(before, bindings));
  ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(after, bindings));
  EXPECT_TRUE(expected.outputs == got.outputs);
}

TEST(InlineCalls, PutsTheRegionInTheCallsPlace) {
  const Graph before = ParseGraph(R"(
    %x = input                      : f32[N]
    %y = input                      : f32[N]
    %0 = call %x, %y                : f32[N]  @block {
      %arg0 = input {name = "0"}    : f32[N]
      %arg1 = input {name = "1"}    : f32[N]
      %0 = subtract %arg1, %arg0    : f32[N]  @block/inner
      %1 = tanh %0                  : f32[N]
      return %1
    }
    %1 = exp %0                     : f32[N]
    return %1)");
  ASSERT_OK_AND_ASSIGN(const Graph after, InlineCalls(before));
  EXPECT_EQ(Print(after), Canonical(R"(
    %x = input                      : f32[N]
    %y = input                      : f32[N]
    %0 = subtract %y, %x            : f32[N]  @block/inner
    %1 = tanh %0                    : f32[N]  @block
    %2 = exp %1                     : f32[N]
    return %2)"));
  ExpectSameValues(before, after);
}

TEST(InlineCalls, GoesIntoCallsInsideCalls) {
  const Graph before = ParseGraph(R"(
    %x = input                      : f32[N]
    %0 = call %x                    : f32[N] {
      %arg0 = input {name = "0"}    : f32[N]
      %0 = call %arg0, %arg0        : f32[N] {
        %arg0 = input {name = "0"}  : f32[N]
        %arg1 = input {name = "1"}  : f32[N]
        %0 = add %arg0, %arg1       : f32[N]
        return %0
      }
      return %0
    }
    %1 = call %0                    : f32[N] {
      %arg0 = input {name = "0"}    : f32[N]
      return %arg0
    }
    return %1)");
  ASSERT_OK_AND_ASSIGN(const Graph after, InlineCalls(before));
  EXPECT_EQ(Print(after), Canonical(R"(
    %x = input                      : f32[N]
    %0 = add %x, %x                 : f32[N]
    return %0)"));
  ExpectSameValues(before, after);
}

TEST(InlineCalls, RefusesARegionThatReadsWhatItIsNotGiven) {
  Graph body;
  Node input{.op = Op::kInput, .type = {DType::kF32, {}}};
  input.attributes.Set("name", std::string("1"));
  body.AddOutput("", body.Add(input));
  Graph graph;
  input.attributes.Set("name", std::string("x"));
  const NodeId x = graph.Add(input);
  graph.AddOutput("", graph.Add({.op = Op::kCall, .type = {DType::kF32, {}}, .inputs = {x}, .regions = {body}}));
  EXPECT_THAT(InlineCalls(graph), StatusHasMessage(HasSubstr("its region reads '1', it has 1 operands")));
}

TEST(InlineCalls, RefusesARegionOfAnotherType) {
  Graph body;
  Node input{.op = Op::kInput, .type = {DType::kF32, {}}};
  input.attributes.Set("name", std::string("0"));
  body.AddOutput("", body.Add(input));
  Graph graph;
  input.attributes.Set("name", std::string("x"));
  const NodeId x = graph.Add(input);
  graph.AddOutput(
      "", graph.Add({.op = Op::kCall, .type = {DType::kF64, {}}, .inputs = {x}, .regions = {body}, .scope = "block"}));
  EXPECT_THAT(InlineCalls(graph),
              StatusHasMessage("inline_calls: a call in block states the type f64[], its region returns f32[]"));
}

}  // namespace
}  // namespace fusebox
