// SPDX-License-Identifier: Apache-2.0
// A fingerprint leaves out only what does not affect the code: kernels with equal fingerprints emit equal functions,
// and programs with equal texts equal modules, compared as LLVM prints them.
#include "fusebox/compiler/codegen/cpu/fingerprint.h"

#include <map>

#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/cpu/program.h"
#include "fusebox/compiler/codegen/cpu/shared_functions.h"
#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "gtest/gtest.h"
#include "llvm/Support/raw_ostream.h"
#include "tests/compiler/fuse_all.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

const Target kTarget = {.vector_bytes = 32, .registers = 16, .fma = true, .caches = {}};

std::string ToText(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, nullptr);
  return text;
}

// The function of one kernel, with all its numbers as arguments.
std::string KernelText(const FusedProgram& program, const Plan& plan, const Kernel& kernel,
                       const codegen::Fingerprint& fingerprint, int64_t row_capacity) {
  llvm::LLVMContext context;
  context.setDiscardValueNames(true);
  llvm::Module module("kernel", context);
  codegen::Ir ir(module);
  std::vector<llvm::Type*> types(5, ir.i64());
  types[0] = ir.ptr();
  types.resize(5 + fingerprint.numbers.size(), ir.i64());
  llvm::Function* f = ir.Begin("kernel", ir.b.getVoidTy(), types, true);
  std::map<codegen::NumberKey, llvm::Value*> numbers;
  for (const auto& [key, i] : fingerprint.index) numbers[key] = f->getArg(unsigned(5 + i));
  codegen::KernelContext c = {.ir = ir,
                              .program = program,
                              .kernel = kernel,
                              .plan = plan,
                              .row_capacity = row_capacity,
                              .target = kTarget,
                              .run = f->getArg(0),
                              .first_row = f->getArg(1),
                              .batch = f->getArg(2),
                              .begin = f->getArg(3),
                              .end = f->getArg(4),
                              .numbers = &numbers};
  codegen::Emit(c);
  codegen::Units(c);
  ir.b.CreateRetVoid();
  return ToText(module);
}

std::string ModuleText(const FusedProgram& program, const Plan& plan, int64_t row_capacity, bool profile = false) {
  llvm::LLVMContext context;
  llvm::Module module("program", context);
  codegen::EmitProgram(module, "entry", program, plan, row_capacity, kTarget, profile);
  return ToText(module);
}

TEST(Fingerprint, KernelsWithTheSameEmitTheSameFunction) {
  std::map<std::string, std::string> known;
  int64_t compared = 0;
  for (uint64_t seed = 1; seed <= 250; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(RandomGraph(seed, {.train = seed % 2 == 0})));
    const int64_t pack_from_bytes = seed % 3 == 0 ? 0 : int64_t{1} << 40;
    const Plan plan = MakePlan(program, {.row_capacity = 16, .pack_from_bytes = pack_from_bytes, .target = kTarget});
    for (const Kernel& kernel : program.kernels) {
      const codegen::Fingerprint fingerprint = codegen::FingerprintOf(program, plan, kernel);
      ASSERT_EQ(fingerprint.index.size(), fingerprint.numbers.size());
      const std::string text = KernelText(program, plan, kernel, fingerprint, 16);
      const auto [at, is_new] = known.emplace(fingerprint.text, text);
      if (is_new) continue;
      ++compared;
      ASSERT_EQ(at->second, text) << fingerprint.text;
    }
  }
  EXPECT_GT(compared, 300) << "of " << known.size();
}

// Small changes to programs: whenever the module changes, its text in the cache key must change, too.
TEST(Fingerprint, ProgramsWithTheSameTextAreTheSameModule) {
  std::map<std::string, std::string> known;
  int64_t equal = 0, different = 0;
  const auto check = [&](const Graph& graph, int64_t row_capacity, int64_t pack_from_bytes, bool profile) {
    ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(graph));
    const Plan plan =
        MakePlan(program, {.row_capacity = row_capacity, .pack_from_bytes = pack_from_bytes, .target = kTarget});
    const std::string module = ModuleText(program, plan, row_capacity, profile);
    const auto [at, is_new] =
        known.emplace(codegen::ProgramText(program, plan, row_capacity, kTarget, profile), module);
    ++(is_new ? different : equal);
    ASSERT_EQ(at->second, module) << at->first;
  };
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const Graph graph = RandomGraph(seed, {.train = seed % 2 == 0});
    for (const int64_t rows : {1, 16, 17}) {
      for (const bool profile : {false, true}) check(graph, rows, int64_t{1} << 40, profile);
      check(graph, rows, 0, false);
    }
    if (HasFatalFailure()) return;
    for (NodeId id = 1; id < graph.size(); ++id) {
      Graph other = graph;
      Node& node = other.mutable_node(id);
      if (node.op == Op::kConstant) {
        node.attributes.Set("value", node.attributes.Float("value") + 1);
      } else if (node.op == Op::kRandomUniform) {
        node.attributes.Set("stream", node.attributes.Int("stream") + 1);
      } else if (node.op == Op::kState || node.op == Op::kInput) {
        node.attributes.Set("name", node.attributes.String("name") + "x");
      } else if (node.op == Op::kAdd) {
        node.op = Op::kMultiply;
      } else {
        continue;
      }
      check(other, 16, int64_t{1} << 40, false);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(equal, 30);
  EXPECT_GT(different, 100);
}

TEST(Fingerprint, EqualLayersDifferInNumbersAlone) {
  ASSERT_OK_AND_ASSIGN(const FusedProgram program, FuseAll(ParseGraph(R"(
    %x = input : f32[N,16]
    %v = state {kind = "weight"} : f32[16,16]
    %w = state {kind = "weight"} : f32[16,16]
    %seed = state {kind = "counter"} : i64[]
    %step = state {kind = "counter"} : i64[]
    %0 = matmul %x, %v : f32[N,16]
    %1 = random_uniform %seed, %step {stream = 1} : f32[N,16]
    %2 = multiply %0, %1 : f32[N,16]
    %3 = matmul %2, %w : f32[N,16]
    %4 = random_uniform %seed, %step {stream = 2} : f32[N,16]
    %5 = multiply %3, %4 : f32[N,16]
    %6 = matmul %5, %w : f32[N,16]
    %7 = random_uniform %seed, %step {stream = 3} : f32[N,16]
    %8 = multiply %6, %7 : f32[N,16]
    %9 = matmul %8, %w : f32[N,16]
    return y = %9)")));
  const Plan plan = MakePlan(program, {.row_capacity = 8, .target = kTarget});
  ASSERT_EQ(program.kernels.size(), 4u) << Print(program);
  const auto of = [&](size_t k) { return codegen::FingerprintOf(program, plan, program.kernels[k]); };
  EXPECT_NE(of(0).text, of(1).text) << "one reads an input, the other the arena";
  EXPECT_EQ(of(1).text, of(2).text);
  EXPECT_NE(of(1).numbers, of(2).numbers);
  EXPECT_NE(of(2).text, of(3).text);
}

}  // namespace
}  // namespace fusebox::testing
