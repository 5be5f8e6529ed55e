// SPDX-License-Identifier: Apache-2.0
// fusebox explain: a table or JSON of all kernels, and a trace. Times are not tested.
#include <fstream>
#include <set>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Explain : public CommandTest {};

TEST_F(Explain, TellsOfEachKernel) {
  const ProcessResult table = Fusebox({"explain", "fashion_mnist_mlp", "--threads", "2"});
  EXPECT_EQ(table.exit_code, 0) << table.errors;
  EXPECT_THAT(table.errors, IsEmpty());
  EXPECT_THAT(table.output, AllOf(HasSubstr("dense/rows+matmul+add+max"), HasSubstr("waiting at 3 barriers"),
                                  HasSubstr("of peak FLOP rate"), HasSubstr("not fused, because")));

  const ProcessResult text = Fusebox({"explain", "fashion_mnist_mlp", "--json", "--batch-size", "7"});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  const nlohmann::json json = nlohmann::json::parse(text.output);
  double flops = 0;
  for (const auto& kernel : json["kernels"]) {
    EXPECT_GT(kernel["nanoseconds"], 0) << kernel["name"];
    if (kernel["kind"] == "matmul") flops += kernel["flops"].get<double>();
  }
  // Forward 784-300-100-10, gradients of weights, and gradients of the activations of all layers but the first; plus
  // elementwise work in the same kernels.
  const double products = 2.0 * 7 * (2 * (784 * 300 + 300 * 100 + 100 * 10) + 300 * 100 + 100 * 10);
  EXPECT_GE(flops, products);
  EXPECT_LT(flops, 1.2 * products);
  // With so few rows, the tiles, and with them the chains, depend on the machine.
  EXPECT_GE(json["barriers"], 3);
  EXPECT_LE(json["barriers"], 7);
}

TEST_F(Explain, WritesATraceOfAllThreads) {
  std::ofstream(Path("p.fbg")) << "%x = input : f32[N,8]\n%w = state {kind = \"weight\"} : f32[8,4]\n"
                                  "%0 = matmul %x, %w : f32[N,4]\n%1 = tanh %0 : f32[N,4]\nreturn y = %1\n";
  const ProcessResult result = Fusebox({"explain", Path("p.fbg"), "--threads", "3", "--profile", Path("trace.json")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  std::ifstream file(Path("trace.json"));
  const nlohmann::json trace = nlohmann::json::parse(file);
  std::set<int> threads;
  std::set<std::string> names;
  for (const auto& event : trace["traceEvents"]) {
    EXPECT_GE(event["dur"], 0);
    threads.insert(event["tid"].get<int>());
    names.insert(event["name"].get<std::string>());
  }
  EXPECT_EQ(threads, (std::set<int>{0, 1, 2}));
  EXPECT_TRUE(names.contains("matmul+tanh") && names.contains("wait"));
}

TEST_F(Explain, RefusesBeforeWork) {
  const ProcessResult result = Fusebox({"explain", "fashion_mnist_mlp", "--profile", "/nowhere/trace.json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("/nowhere"));
  EXPECT_THAT(result.output, IsEmpty());
  const ProcessResult threads = Fusebox({"explain", "fashion_mnist_mlp", "--threads", "100000"});
  EXPECT_EQ(threads.exit_code, 1);
  EXPECT_THAT(threads.errors, HasSubstr("error: threads: expected a number from 1 to 1024, got 100000"));
  const ProcessResult batch = Fusebox({"explain", "fashion_mnist_mlp", "--batch-size", "100000000"});
  EXPECT_EQ(batch.exit_code, 1);
  EXPECT_THAT(batch.errors, HasSubstr("give a smaller --batch-size"));
}

}  // namespace
}  // namespace fusebox::testing
