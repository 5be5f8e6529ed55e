// SPDX-License-Identifier: Apache-2.0
// Equal kernels become one function, and long programs are split into pieces: neither changes results.
#include "fmt/format.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

// x -> tanh(x w), repeated, each with a w of its own; then one step of gradient descent.
Graph Stack(int layers) {
  std::string text = "%x = input : f32[N,5]\n";
  for (int i = 0; i < layers; ++i) text += fmt::format("%w{} = state {{kind = \"weight\"}} : f32[5,5]\n", i);
  int next = 0;
  std::string h = "x";
  for (int i = 0; i < layers; ++i, next += 2) {
    text += fmt::format("%{} = matmul %{}, %w{} : f32[N,5]\n%{} = tanh %{} : f32[N,5]\n", next, h, i, next + 1, next);
    h = std::to_string(next + 1);
  }
  const int loss = next++;
  text += fmt::format("%{} = sum %{} {{axes = [0, 1]}} : f32[]\n", loss, h);
  std::string updates;
  for (int i = 0; i < layers; ++i, next += 2) {
    text += fmt::format("%{} = gradient %{}, %w{} : f32[5,5]\n%{} = subtract %w{}, %{} : f32[5,5]\n", next, loss, i,
                        next + 1, i, next);
    updates += fmt::format("update %w{} = %{}\n", i, next + 1);
  }
  return ParseGraph(text + updates + fmt::format("return loss = %{}\n", loss));
}

void ExpectRight(const Graph& graph) {
  const Bindings bindings = RandomBindings(graph, 6, 3);
  ASSERT_OK_AND_ASSIGN(const Graph reference, Differentiate(graph));
  for (const int threads : {1, 2}) {
    ASSERT_OK_AND_ASSIGN(const Evaluation got, RunJit(graph, bindings, {.threads = threads, .row_capacity = 8}));
    EXPECT_EQ(Compare(reference, bindings, got).mismatch, "") << threads << " threads";
  }
}

TEST(Share, EqualLayersAreCompiledOnce) {
  ExpectRight(Stack(5));
  const auto instructions = [](int layers) {
    const absl::StatusOr<Executable> program = Compile(Stack(layers));
    return program.ok() ? program->report().ir_instructions : -1;
  };
  const int64_t five = instructions(5), ten = instructions(10);
  EXPECT_GT(five, 0);
  EXPECT_LT(ten - five, five / 4) << "each layer more is but calls";
}

TEST(Share, LongProgramsAreCutIntoPieces) { ExpectRight(Stack(60)); }

}  // namespace
}  // namespace fusebox::testing
