// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/pipeline.h"

#include <algorithm>

#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/support/compare.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using testing::Canonical;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::ExpectSameValues;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ParseGraph;
using testing::StatusHasMessage;

constexpr const char* kProgram = R"(
    %x = input                                  : f32[N,4]
    %w = state {kind = "weight"}                : f32[4,3]
    %0 = call %x, %w                            : f32[N,3]  @dense {
      %arg0 = input {name = "0"}                : f32[N,4]
      %arg1 = input {name = "1"}                : f32[4,3]
      %0 = matmul %arg0, %arg1                  : f32[N,3]
      %1 = max %0, 0                            : f32[N,3]
      return %1
    }
    %1 = sum %0 {axes = [0, 1], keepdims = true} : f32[1,1]
    %2 = reshape %1                             : f32[]
    %3 = gradient %2, %w                        : f32[4,3]
    %4 = subtract %w, %3                        : f32[4,3]
    update %w = %4
    return loss = %2)";

PassOptions Without(std::vector<std::string> passes) { return {.skip = std::move(passes)}; }

TEST(Pipeline, MakesAGraphForKernels) {
  std::vector<PassReport> reports;
  ASSERT_OK_AND_ASSIGN(const Graph after, RunGraphPasses(ParseGraph(kProgram), {}, reports));
  EXPECT_EQ(Print(after), Canonical(R"(
    %x = input                                    : f32[N,4]
    %w = state {kind = "weight"}                  : f32[4,3]
    %0 = matmul %x, %w                            : f32[N,3]  @dense
    %1 = constant 0                               : f32[]  @dense
    %2 = max %0, %1                               : f32[N,3]  @dense
    %3 = sum %2 {axes = [0, 1]}                   : f32[]
    %4 = constant 1                               : f32[]
    %5 = less %1, %2                              : bool[N,3]  @dense
    %6 = select %5, %4, %1                        : f32[N,3]  @dense
    %7 = matmul %x, %6 {transpose_a = true}       : f32[4,3]  @dense
    %8 = subtract %w, %7                          : f32[4,3]
    update %w = %8
    return loss = %3)"));
}

TEST(Pipeline, ReportsAndDumpsItsSteps) {
  std::vector<PassReport> reports;
  PassOptions options;
  std::vector<std::string> stages;
  std::string gradient;
  options.dump = [&](std::string_view stage, const std::string& text) {
    stages.emplace_back(stage);
    if (stage == "gradient") gradient = text;
  };
  ASSERT_OK(RunGraphPasses(ParseGraph(kProgram), options, reports));
  EXPECT_THAT(stages,
              ElementsAre("graph", "inline_calls", "differentiate", "gradient", "simplify", "cse", "dce", "simplified",
                          "canonical_reductions", "simplify", "layout", "cse", "dce", "own_memory"));
  EXPECT_THAT(gradient, HasSubstr("matmul"));
  EXPECT_THAT(gradient, Not(HasSubstr("gradient %")));
  std::vector<std::string> names;
  for (const PassReport& pass : reports) {
    names.push_back(pass.name);
    EXPECT_GE(pass.milliseconds, 0);
    EXPECT_GT(pass.nodes_before, 0u);
    EXPECT_GT(pass.nodes_after, 0u);
  }
  EXPECT_THAT(names, ElementsAre("inline_calls", "differentiate", "simplify", "cse", "dce", "canonical_reductions",
                                 "simplify", "layout", "cse", "dce", "own_memory"));
}

TEST(Pipeline, LeavesOutWhatItIsToldTo) {
  std::vector<PassReport> all, some;
  ASSERT_OK_AND_ASSIGN(const Graph full, RunGraphPasses(ParseGraph(kProgram), {}, all));
  ASSERT_OK_AND_ASSIGN(const Graph plain,
                       RunGraphPasses(ParseGraph(kProgram), Without({"simplify", "cse", "dce"}), some));
  EXPECT_EQ(some.size(), 5u);
  EXPECT_GT(plain.size(), full.size());
  ExpectSameValues(plain, full);
}

TEST(Pipeline, CannotDoWithoutSomePasses) {
  std::vector<PassReport> reports;
  for (const std::string pass : {"inline_calls", "differentiate", "canonical_reductions", "layout", "own_memory"}) {
    EXPECT_THAT(RunGraphPasses(ParseGraph(kProgram), Without({pass}), reports),
                StatusHasMessage("pass '" + pass + "' cannot be left out of this program"));
  }
  const Graph simple = ParseGraph("%x = input : f32[N]\n%0 = exp %x : f32[N]\nreturn %0");
  EXPECT_OK(RunGraphPasses(simple, Without({"inline_calls", "differentiate"}), reports));
}

TEST(Pipeline, RefusesABrokenGraph) {
  Graph graph;
  graph.AddOutput("y", graph.Add({.op = Op::kConstant, .type = {DType::kF32, {3}}}));
  std::vector<PassReport> reports;
  EXPECT_THAT(RunGraphPasses(graph, {}, reports), StatusHasMessage(HasSubstr("constant")));
}

TEST(Pipeline, OffersEachPassOnce) {
  std::vector<std::string> names;
  for (const GraphPass& pass : GraphPasses()) {
    EXPECT_THAT(names, Not(Contains(pass.name)));
    EXPECT_NE(std::string(pass.what), "");
    names.push_back(pass.name);
  }
  EXPECT_THAT(names, ElementsAre("inline_calls", "differentiate", "simplify", "cse", "dce", "canonical_reductions",
                                 "layout", "own_memory"));
}

}  // namespace
}  // namespace fusebox
