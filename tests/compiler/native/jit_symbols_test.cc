// SPDX-License-Identifier: Apache-2.0
// The symbols of compiled functions that perf and GDB see. The JIT reads the environment when it is created, so each
// case runs in a process of its own.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "fusebox/compiler/compiler.h"
#include "gtest/gtest.h"
#include "llvm/ExecutionEngine/Orc/TargetProcess/JITLoaderGDB.h"
#include "tests/support/text.h"

extern "C" jit_descriptor __jit_debug_descriptor;  // Where GDB looks: LLVM's library has it.

namespace fusebox {
namespace {

void CompileLayer() {
  const Graph graph = testing::ParseGraph(R"(
      %x = input                      : f32[N,8]
      %w = state {kind = "weight"}    : f32[8,4]
      %0 = matmul %x, %w              : f32[N,4]  @hidden
      %1 = tanh %0                    : f32[N,4]  @hidden
      return y = %1)");
  if (!Compile(graph).ok()) std::cerr << "does not compile\n";
}

// Prints the symbols reported by a process with this environment, and exits.
[[noreturn]] void Tell(const char* variable, const char* value) {
  unsetenv("FUSEBOX_PERF_MAP");
  unsetenv("FUSEBOX_GDB");
  setenv(variable, value, 1);
  const std::string map = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  std::filesystem::remove(map);
  CompileLayer();
  std::ostringstream text;
  text << std::ifstream(map).rdbuf();
  std::cerr << "map: " << (std::filesystem::exists(map) ? text.str() : "none\n");
  std::cerr << "objects: " << (__jit_debug_descriptor.first_entry == nullptr ? "none" : "some") << "\n";
  std::filesystem::remove(map);
  std::exit(0);
}

class JitSymbols : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(JitSymbols, PerfFindsEachFunctionInItsMap) {
  EXPECT_EXIT(Tell("FUSEBOX_PERF_MAP", "1"), ::testing::ExitedWithCode(0),
              "map: (.*\n)?[0-9a-f]+ [0-9a-f]+ kernel0_hidden_matmul_tanh\n(.*\n)?objects: none");
  EXPECT_EXIT(Tell("FUSEBOX_PERF_MAP", "1"), ::testing::ExitedWithCode(0), "[0-9a-f]+ [0-9a-f]+ fusebox_program\n");
}

TEST_F(JitSymbols, GdbIsGivenTheObjects) {
  EXPECT_EXIT(Tell("FUSEBOX_GDB", "1"), ::testing::ExitedWithCode(0), "map: none\nobjects: some");
}

TEST_F(JitSymbols, NobodyIsToldUnlessAskedFor) {
  EXPECT_EXIT(Tell("FUSEBOX_PERF_MAP", "0"), ::testing::ExitedWithCode(0), "map: none\nobjects: none");
  EXPECT_EXIT(Tell("FUSEBOX_GDB", ""), ::testing::ExitedWithCode(0), "map: none\nobjects: none");
}

}  // namespace
}  // namespace fusebox
