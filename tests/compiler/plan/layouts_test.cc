// SPDX-License-Identifier: Apache-2.0
// States stored in panels: which states are, and that only compiled code can tell.
#include "fusebox/compiler/plan/layouts.h"

#include <unistd.h>

#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/plan/dependencies.h"
#include "fusebox/graph/text.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/compare.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

// A layer forward and backward, and the update of its weights; `n` columns.
std::string Layer(int64_t n, std::string_view more = "") {
  return fmt::format(R"(
%x = input : f32[N,37]
%dy = input : f32[N,{0}]
%w = state {{kind = "weight"}} : f32[37,{0}]
%0 = matmul %x, %w : f32[N,{0}]
%1 = matmul %dy, %w {{transpose_b = true}} : f32[N,37]
%2 = matmul %x, %dy {{transpose_a = true}} : f32[37,{0}]
%3 = multiply %2, 0.125 : f32[37,{0}]
%4 = subtract %w, %3 : f32[37,{0}]
{1}update %w = %4
return y = %0
return dx = %1
)",
                     n, more);
}

Graph ParseOrDie(const std::string& text) {
  absl::StatusOr<Graph> graph = Parse(text);
  EXPECT_OK(graph);
  return *std::move(graph);
}

int64_t PackedStates(const std::string& text) {
  const absl::StatusOr<FusedProgram> fused = Fuse(ParseOrDie(text));
  EXPECT_OK(fused);
  return int64_t(StatesForPanels(*fused, FindDependencies(*fused).readers, 0).size());
}

TEST(Layouts, PanelsHoldTheWeightsOfALayer) {
  const auto compiled = Compile(ParseOrDie(Layer(20)), {.pack_from_bytes = 0});
  ASSERT_OK(compiled);
  EXPECT_EQ(compiled->report().packed_bytes, 37 * 32 * 4 / 64 * 64);  // 20 columns take two panels.
  const auto small = Compile(ParseOrDie(Layer(20)), {.pack_from_bytes = 37 * 20 * 4 + 1});
  ASSERT_OK(small);
  EXPECT_EQ(small->report().packed_bytes, 0);
}

TEST(Layouts, PanelsAreNotForWhatIsReadInAnotherOrder) {
  constexpr const char* kHead = "%x = input : f32[N,32]\n%w = state {kind = \"weight\"} : f32[32,32]\n";
  const std::string product = "%0 = matmul %x, %w : f32[N,32]\nreturn y = %0\n";
  EXPECT_EQ(PackedStates(kHead + product), 1);
  EXPECT_EQ(PackedStates(kHead + product + "%1 = sum %w {axes = [1]} : f32[32]\nreturn z = %1\n"), 1);
  EXPECT_EQ(PackedStates(kHead + product + "%1 = sum %w {axes = [0]} : f32[32]\nreturn z = %1\n"), 0);
  EXPECT_EQ(PackedStates(kHead + product + "%1 = matmul %w, %w : f32[32,32]\nreturn z = %1\n"), 0);
  EXPECT_EQ(PackedStates(kHead + product + "%1 = reshape %w : f32[1024]\n%2 = exp %1 : f32[1024]\nreturn z = %2\n"), 0);
  EXPECT_EQ(PackedStates(kHead + product + "%1 = slice %w {axis = 1, begin = 3, end = 5} : f32[32,2]\nreturn z = %1\n"),
            0);
}

// Partial and whole panels, one row and many, threads: values equal to the evaluator's, and equal bits for any threads.
TEST(Layouts, PanelsCannotBeToldFromOutside) {
  for (const int64_t n : {1, 5, 16, 20, 24, 40, 48, 72, 100}) {
    for (const int64_t batch : {1, 7, 33}) {
      SCOPED_TRACE(fmt::format("{} columns, batch {}", n, batch));
      // A penalty on the weights reads them by row, in a kernel of its own.
      const std::string more =
          fmt::format("%5 = multiply %w, %w : f32[37,{}]\n%6 = sum %5 {{axes = [1]}} : f32[37]\n", n);
      const Graph graph = ParseOrDie(Layer(n, more) + "return penalty = %6\n");
      const Bindings bindings = RandomBindings(graph, uint64_t(n * 100 + batch), batch);
      JitOptions options{
          .threads = 1, .row_capacity = 40, .compile = {.pack_from_bytes = 0, .guard_bytes = sysconf(_SC_PAGESIZE)}};
      const absl::StatusOr<Evaluation> packed = RunJit(graph, bindings, options);
      ASSERT_OK(packed);
      EXPECT_EQ(Compare(graph, bindings, *packed).mismatch, "");
      options.threads = 3;
      const absl::StatusOr<Evaluation> threads = RunJit(graph, bindings, options);
      ASSERT_OK(threads);
      EXPECT_TRUE(packed->outputs == threads->outputs && packed->states == threads->states);
      options.compile.pack_from_bytes = 1 << 30;
      const absl::StatusOr<Evaluation> plain = RunJit(graph, bindings, options);
      ASSERT_OK(plain);
      EXPECT_TRUE(packed->states == plain->states) << "panels change bits";
    }
  }
}

// Widths at which a product's best tile is not a multiple of a panel. The weights that it updates are stored in panels
// nevertheless.
TEST(Layouts, AWeightsGradientUpdatesPanelsWhateverItsTile) {
  for (const auto& [m, n] : {std::pair(784, 40), {128, 48}, {40, 40}, {40, 48}, {40, 72}, {64, 500}}) {
    SCOPED_TRACE(fmt::format("weights of {} x {}", m, n));
    const Graph graph = ParseOrDie(fmt::format(R"(
%x = input : f32[N,{0}]
%dy = input : f32[N,{1}]
%w = state {{kind = "weight"}} : f32[{0},{1}]
%0 = matmul %x, %w : f32[N,{1}]
%1 = matmul %x, %dy {{transpose_a = true}} : f32[{0},{1}]
%2 = multiply %1, 0.125 : f32[{0},{1}]
%3 = subtract %w, %2 : f32[{0},{1}]
update %w = %3
return y = %0
)",
                                               m, n));
    const Bindings bindings = RandomBindings(graph, uint64_t(m * n), 32);
    const absl::StatusOr<Evaluation> result =
        RunJit(graph, bindings, {.threads = 2, .compile = {.pack_from_bytes = 0}});
    ASSERT_OK(result);
    EXPECT_EQ(Compare(graph, bindings, *result).mismatch, "");
  }
}

TEST(Layouts, ReshapesKeepTheirOwnRows) {
  constexpr const char* kPrograms[] = {
      // Transposes of arrays that are stored as another matrix, or as none.
      "%x = input : f32[N,3,4]\n%1 = reshape %x : f32[N,12]\n%2 = transpose %1 {permutation = [1, 0]} : f32[12,N]\n"
      "return y = %2\n",
      "%x = input : f32[4,6]\n%1 = reshape %x : f32[8,3]\n%2 = transpose %1 {permutation = [1, 0]} : f32[3,8]\n"
      "return y = %2\n",
      "%x = input : f32[24]\n%1 = reshape %x : f32[8,3]\n%2 = transpose %1 {permutation = [1, 0]} : f32[3,8]\n"
      "return y = %2\n",
      "%x = input : f32[N,20]\n%w = state {kind = \"weight\"} : f32[3,4,5]\n%0 = reshape %w : f32[3,20]\n"
      "%1 = matmul %x, %0 {transpose_b = true} : f32[N,3]\nreturn y = %1\n",
      // An update computed as a matrix with other rows than the state's.
      "%x = input : f32[N,32]\n%y = input : f32[64,16]\n%w = state {kind = \"weight\"} : f32[32,32]\n"
      "%0 = matmul %x, %w : f32[N,32]\n%1 = reshape %y : f32[32,32]\n%2 = exp %1 : f32[32,32]\nupdate %w = %2\n"
      "return y = %0\n",
  };
  for (const char* text : kPrograms) {
    SCOPED_TRACE(text);
    const Graph graph = ParseOrDie(text);
    const Bindings bindings = RandomBindings(graph, 7, 32);
    const absl::StatusOr<Evaluation> result =
        RunJit(graph, bindings, {.threads = 2, .compile = {.pack_from_bytes = 0}});
    ASSERT_OK(result);
    EXPECT_EQ(Compare(graph, bindings, *result).mismatch, "");
  }
}

}  // namespace
}  // namespace fusebox::testing
