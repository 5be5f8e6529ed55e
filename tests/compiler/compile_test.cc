// SPDX-License-Identifier: Apache-2.0
// Compile as its callers see it: ports, stages, reports, errors.
#include <set>

#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

constexpr const char* kProgram = R"(
    %order = input                : i32[N]
    %x = rows %order              : f32[N,4]
    %y = input                    : f32[N,3]
    %w = state {kind = "weight"}  : f32[4,3]
    %b = state {kind = "weight"}  : f32[3]
    %0 = matmul %x, %w            : f32[N,3]
    %1 = add %0, %b               : f32[N,3]
    %2 = subtract %1, %y          : f32[N,3]
    %3 = multiply %2, %2          : f32[N,3]
    %4 = sum %3 {axes = [0, 1]}   : f32[]
    %5 = gradient %4, %w          : f32[4,3]
    %6 = subtract %w, %5          : f32[4,3]
    update %w = %6
    return loss = %4)";

TEST(Compile, RowCapacityIsAtLeastOne) {
  const Graph graph = ParseGraph(kProgram);
  EXPECT_THAT(Compile(graph, {.row_capacity = 0}), StatusHasMessage("compile: row_capacity must be at least 1, got 0"));
  EXPECT_THAT(Compile(graph, {.row_capacity = -3}),
              StatusHasMessage("compile: row_capacity must be at least 1, got -3"));
}

TEST(Compile, PassToSkipHasToExist) {
  EXPECT_THAT(Compile(ParseGraph(kProgram), {.skip = {"cse", "simplfy"}}),
              StatusHasMessage(
                  HasSubstr("no pass 'simplfy' to skip; there are inline_calls, differentiate, simplify, cse, dce, "
                            "canonical_reductions, layout")));
}

TEST(Compile, PassToSkipHasToBeOneThatCanBe) {
  EXPECT_THAT(Compile(ParseGraph(kProgram), {.skip = {"differentiate"}}),
              StatusHasMessage("pass 'differentiate' cannot be left out of this program"));
}

TEST(Compile, RefusesAGraphThatDoesNotVerify) {
  Graph graph;
  graph.AddOutput("y", graph.Add({.op = Op::kConstant, .type = {DType::kF32, {3}}}));
  EXPECT_THAT(Compile(graph), StatusHasMessage(HasSubstr("constant")));
  EXPECT_THAT(Compile(graph), StatusHasMessage(HasSubstr("f32[3]")));
}

TEST(Compile, SkippingPassesChangesNoValue) {
  const Graph graph = ParseGraph(R"(
    %x = input                    : f32[N,7]
    %w = state {kind = "weight"}  : f32[7,3]
    %0 = matmul %x, %w            : f32[N,3]
    %1 = multiply %0, 1           : f32[N,3]
    %2 = multiply %0, 1           : f32[N,3]
    %3 = add %1, %2               : f32[N,3]
    %4 = tanh %3                  : f32[N,3]
    %5 = sum %4 {axes = [1], keepdims = true} : f32[N,1]
    %6 = multiply %w, 0           : f32[7,3]
    update %w = %6
    return y = %5)");
  const Bindings bindings = RandomBindings(graph, 4, 9);
  const std::vector<std::vector<std::string>> skips = {{}, {"simplify"}, {"cse"}, {"dce"}, {"simplify", "cse", "dce"}};
  for (const auto& skip : skips) {
    ASSERT_OK_AND_ASSIGN(const Evaluation got, RunJit(graph, bindings, {.compile = {.skip = skip}}));
    EXPECT_EQ(Compare(graph, bindings, got).mismatch, "");
  }
}

TEST(Compile, PortsAreWhatTheProgramNames) {
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(ParseGraph(kProgram), {.row_capacity = 7}));
  EXPECT_EQ(program.row_capacity(), 7);
  std::set<std::string> ports;
  for (const Port& port : program.ports())
    ports.insert(port.name + " " + ToString(port.type) + (port.written ? " written" : ""));
  EXPECT_EQ(ports, (std::set<std::string>{"order i32[N]", "x f32[N,4]", "y f32[N,3]", "w f32[4,3] written", "b f32[3]",
                                          "loss f32[] written"}));
  const int64_t x = program.PortIndex(Port::Kind::kRows, "x");
  ASSERT_GE(x, 0);
  EXPECT_EQ(program.ports()[size_t(x)].name, "x");
  EXPECT_EQ(program.PortIndex(Port::Kind::kInput, "x"), -1);
  EXPECT_EQ(program.PortIndex(Port::Kind::kState, "nobody"), -1);
}

TEST(Compile, DumpsEveryStageAndReports) {
  std::vector<std::string> stages;
  CompileOptions options;
  options.dump = [&](std::string_view stage, const std::string& text) {
    stages.emplace_back(stage);
    EXPECT_NE(text, "") << stage;
  };
  ASSERT_OK_AND_ASSIGN(const Executable program, Compile(ParseGraph(kProgram), options));
  EXPECT_THAT(stages, IsSupersetOf({"graph", "gradient", "simplified", "fused", "plan", "schedule", "llvm", "asm"}));
  const CompileReport& report = program.report();
  EXPECT_GT(report.milliseconds, 0);
  EXPECT_LE(report.arena_bytes, report.intermediate_bytes);
  EXPECT_EQ(program.arena_bytes(), report.arena_bytes);
  EXPECT_GE(report.barriers, 1);
  ASSERT_FALSE(report.kernels.empty());
  double flops = 0;
  for (const KernelReport& kernel : report.kernels) {
    EXPECT_FALSE(kernel.operations.empty()) << kernel.name;
    EXPECT_GT(kernel.bytes, 0) << kernel.name;
    if (kernel.kind == "matmul") {
      flops += kernel.flops;
      EXPECT_NE(kernel.tile, "");
    }
  }
  // Two products of 2 * 32 * 4 * 3, and some arithmetic around them.
  EXPECT_GE(flops, 2 * 768);
  EXPECT_LT(flops, 3 * 768);
}

TEST(Compile, AProgramWithoutOutputsRuns) {
  Graph graph =
      ParseGraph("%x = input : f32[N]\n%w = state {kind = \"weight\"} : f32[3]\nupdate %w = %w\nreturn y = %x");
  graph.ReplaceResults({}, graph.updates());
  const Bindings bindings = RandomBindings(graph, 1, 2);
  ASSERT_OK_AND_ASSIGN(const Evaluation got, RunJit(graph, bindings));
  EXPECT_EQ(Compare(graph, bindings, got).mismatch, "");
}

// An executable owns its code: it outlives other executables, and copies share it.
TEST(Compile, ExecutablesLiveOnTheirOwn) {
  const Graph graph = ParseGraph("%x = input : f32[N]\n%0 = exp %x : f32[N]\nreturn y = %0");
  const Bindings bindings = RandomBindings(graph, 1, 5);
  ASSERT_OK_AND_ASSIGN(Executable first, Compile(graph));
  {
    ASSERT_OK_AND_ASSIGN(const Executable second, Compile(graph));
    first = second;
  }
  ASSERT_OK_AND_ASSIGN(const Evaluation got, RunStep(first, bindings, 1));
  EXPECT_EQ(Compare(graph, bindings, got).mismatch, "");
}

}  // namespace
}  // namespace fusebox::testing
