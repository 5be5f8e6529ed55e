// SPDX-License-Identifier: Apache-2.0
// Long chains: kernels take a bounded amount of work, so that code and the time to make it grow with the program.
#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox {
namespace {

using ::fusebox::testing::ParseGraph;

// f(f(...f(x))) with n calls of an op of one operand, or of x and the last value.
std::string Chain(const std::string& op, int n, bool takes_x) {
  std::string text = "%x = input : f32[N]\n%v0 = negate %x : f32[N]\n";
  for (int i = 1; i <= n; ++i) text += fmt::format("%v{} = {} %v{}{} : f32[N]\n", i, op, i - 1, takes_x ? ", %x" : "");
  return text;
}

struct Sizes {
  int64_t kernels = 0, members = 0, most = 0;
};
Sizes SizesOf(const Graph& graph) {
  Sizes sizes;
  const absl::StatusOr<FusedProgram> program = Fuse(graph);
  EXPECT_OK(program);
  if (!program.ok()) return sizes;
  for (const Kernel& kernel : program->kernels) {
    ++sizes.kernels;
    sizes.members += int64_t(kernel.members.size());
    sizes.most = std::max(sizes.most, WorkOf(program->graph, kernel));
  }
  return sizes;
}

TEST(Work, OfAKernelIsBounded) {
  for (const auto& [op, takes_x, work] : {std::tuple("add", true, 1), {"tanh", false, 16}, {"abs", false, 1}}) {
    for (const int n : {500, 1000, 2000}) {
      const Sizes sizes = SizesOf(ParseGraph(Chain(op, n, takes_x) + fmt::format("return %v{}", n)));
      EXPECT_LE(sizes.most, kMostWork) << op;
      EXPECT_LE(sizes.members, n + n / 8) << op;  // Hardly anything is computed twice.
      EXPECT_LE(sizes.kernels, n * work / (kMostWork / 2) + 2) << op << " " << n;
    }
  }
}

TEST(Work, OfGradientsGrowsWithTheProgram) {
  for (const int n : {500, 1000, 2000}) {
    const Graph graph = ParseGraph(Chain("tanh", n, false) +
                                   fmt::format("%l = sum %v{} {{axes = [0]}} : f32[]\n%g = gradient %l, %x : f32[N]\n"
                                               "return %g",
                                               n));
    const absl::StatusOr<Graph> derived = Differentiate(graph);
    ASSERT_OK(derived);
    const Sizes sizes = SizesOf(*derived);
    EXPECT_LE(sizes.most, kMostWork);
    EXPECT_LE(sizes.members, 6 * n);
    EXPECT_LE(sizes.kernels, n / 8);
  }
}

// Neither the graph's depth nor that of values that wait for their users is a depth of recursion.
TEST(Work, AChainMayBeDeep) {
  for (const char* op : {"tanh", "abs", "not"}) {
    std::string text = Chain(op, 30'000, false);
    if (std::string_view(op) == "not") {
      text = "%x = input : bool[N]\n%v0 = not %x : bool[N]\n";
      for (int i = 1; i <= 30'000; ++i) text += fmt::format("%v{} = not %v{} : bool[N]\n", i, i - 1);
    }
    EXPECT_LE(SizesOf(ParseGraph(text + "return %v30000")).most, kMostWork) << op;
  }
}

}  // namespace
}  // namespace fusebox
