// SPDX-License-Identifier: Apache-2.0
// Machines by name: the known facts of each, which ones this machine can stand in for, and objects for all of them.
// Code for those that run here is tested by compiler.on.<target> in tests/CMakeLists.txt and by the random graphs.
#include <cstdlib>
#include <set>

#include "fusebox/compiler/native/cache_sizes.h"
#include "fusebox/compiler/native/machine.h"
#include "gtest/gtest.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/TargetParser/Host.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kProgram = R"(
    %x = input                   : f32[N,5]
    %w = state {kind = "weight"} : f32[5,40]
    %0 = matmul %x, %w           : f32[N,40]
    %1 = tanh %0                 : f32[N,40]
    return y = %1)";

Target TargetOf(const std::string& name) {
  const auto machine = FindMachine(name, /*to_run=*/false);
  EXPECT_OK(machine.status());
  return machine.ok() ? (*machine)->target : Target();
}

void ExpectTarget(const std::string& name, int64_t vector_bytes, int64_t registers, bool fma) {
  SCOPED_TRACE(name);
  const Target target = TargetOf(name);
  EXPECT_EQ(target.vector_bytes, vector_bytes);
  EXPECT_EQ(target.registers, registers);
  EXPECT_EQ(target.fma, fma);
}

TEST(Machine, VectorsAndRegistersAreThoseOfTheCpu) {
  ExpectTarget("x86_64:x86-64", 16, 16, false);
  ExpectTarget("x86_64:x86-64-v2", 16, 16, false);
  ExpectTarget("x86_64:sandybridge", 16, 16, false);  // AVX without AVX2, which integers need.
  ExpectTarget("x86_64:x86-64-v3", 32, 16, true);
  ExpectTarget("x86_64:znver3", 32, 16, true);
  ExpectTarget("x86_64:x86-64-v4", 64, 32, true);
  ExpectTarget("x86_64:znver4", 64, 32, true);
  ExpectTarget("aarch64:generic", 16, 32, true);
  ExpectTarget("aarch64:neoverse-n1", 16, 32, true);
  ExpectTarget("aarch64:apple-m1", 16, 32, true);
}

TEST(Machine, CachesAreThisMachinesWhereTheCodeMayRunHere) {
  EXPECT_EQ(TargetOf("native").caches, HostCacheSizes());
  const bool on_arm = llvm::Triple(llvm::sys::getProcessTriple()).isAArch64();
  EXPECT_EQ(TargetOf(on_arm ? "x86_64:x86-64" : "aarch64:generic").caches, CacheSizes());
}

// ---- Wrong names.

TEST(Machine, NamesThatAreNoCpuAreRefused) {
  EXPECT_THAT(
      FindMachine("x86_64:x86-64-v9", false),
      StatusHasMessage(HasSubstr("target cpu 'x86_64:x86-64-v9': expected 'native' or a CPU of x86_64 that LLVM "
                                 "knows, such as 'x86-64-v")));
  EXPECT_THAT(FindMachine("aarch64:neoverse-n7", false),
              StatusHasMessage(AllOf(HasSubstr("a CPU of aarch64"), HasSubstr("such as 'neoverse-n"))));
  // A 32-bit CPU.
  EXPECT_THAT(FindMachine("x86_64:pentium3", false), StatusHasMessage(HasSubstr("expected 'native' or a CPU")));
  EXPECT_THAT(FindMachine("x86_64:", false), StatusHasMessage(HasSubstr("expected 'native' or a CPU")));
  EXPECT_THAT(
      FindMachine("riscv64:generic", false),
      StatusHasMessage("target cpu 'riscv64:generic': expected the architecture x86_64 or aarch64, got 'riscv64'"));
}

TEST(Machine, OneThatCannotRunHereSaysWhatIsMissing) {
  const Graph graph = ParseGraph(kProgram);
  if (llvm::Triple(llvm::sys::getProcessTriple()).getArch() != llvm::Triple::x86_64) {
    GTEST_SKIP() << "the features are those of x86-64";
  }
  EXPECT_THAT(Compile(graph, {.target_cpu = "aarch64:apple-m1"}),
              StatusHasMessage("target cpu 'aarch64:apple-m1': this machine is of x86_64"));
  // AMD dropped FMA4 in 2017.
  if (!CheckTargetCpu("bdver4").ok()) {
    EXPECT_THAT(Compile(graph, {.target_cpu = "bdver4"}),
                StatusHasMessage(AllOf(StartsWith("target cpu 'bdver4': this machine lacks "), HasSubstr("fma4, "))));
  }
  if (!CheckTargetCpu("x86-64-v4").ok()) {
    EXPECT_THAT(
        Compile(graph, {.target_cpu = "x86-64-v4"}),
        StatusHasMessage(AllOf(StartsWith("target cpu 'x86-64-v4': this machine lacks "), HasSubstr("avx512f"))));
  }
}

TEST(Machine, TheEnvironmentNamesTheUsualOne) {
  const char* before = std::getenv("FUSEBOX_TARGET_CPU");
  const std::string kept = before != nullptr ? before : "";
  setenv("FUSEBOX_TARGET_CPU", "aarch64:generic", 1);
  EXPECT_EQ(TargetOf("").registers, 32);
  EXPECT_EQ(TargetOf("x86_64:x86-64").registers, 16);
  setenv("FUSEBOX_TARGET_CPU", "z80", 1);
  EXPECT_THAT(Compile(ParseGraph(kProgram)),
              StatusHasMessage(HasSubstr("FUSEBOX_TARGET_CPU 'z80': expected 'native'")));
  EXPECT_OK(Compile(ParseGraph(kProgram), {.target_cpu = "native"}));
  setenv("FUSEBOX_TARGET_CPU", "", 1);
  EXPECT_OK(Compile(ParseGraph(kProgram)));
  setenv("FUSEBOX_TARGET_CPU", kept.c_str(), 1);
}

// ---- Objects.

// Functions that an object may call: our own, and those of the C library that LLVM or f64 functions use.
const std::set<std::string> kMayCall = {
    "fusebox_barrier", "exp",    "log",  "tanh",  "erf",    "erfc", "fma",   "fmaf",      "floor",      "floorf",
    "memcpy",          "memset", "fmod", "trunc", "truncf", "rint", "rintf", "roundeven", "roundevenf",
};

void ExpectObject(const Graph& graph, const std::string& target, unsigned machine) {
  std::string bytes;
  CompileOptions options{.row_capacity = 33, .pack_from_bytes = 0, .target_cpu = target, .link = false};
  options.dump = [&](std::string_view stage, const std::string& text) {
    if (stage == "object") bytes = text;
  };
  ASSERT_OK(Compile(graph, options)) << target;
  auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(bytes, target));
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  const auto& elf = llvm::cast<llvm::object::ELFObjectFileBase>(**file);
  EXPECT_EQ(elf.getEMachine(), machine);
  EXPECT_EQ(elf.getEType(), llvm::ELF::ET_REL);
  EXPECT_EQ(elf.getBytesInAddress(), 8);
  int entries = 0;
  for (const llvm::object::ELFSymbolRef symbol : elf.symbols()) {
    const std::string name = llvm::cantFail(symbol.getName()).str();
    const bool undefined = (llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined) != 0;
    if (undefined && !name.empty()) {
      EXPECT_TRUE(kMayCall.contains(name)) << target << " calls " << name;
    }
    entries += name == "fusebox_program" && !undefined && symbol.getELFType() == llvm::ELF::STT_FUNC;
  }
  EXPECT_EQ(entries, 1);
}

class ObjectFiles : public ::testing::TestWithParam<const char*> {};

TEST_P(ObjectFiles, AreRelocatableElfFilesOfTheirMachine) {
  const std::string target = GetParam();
  const unsigned machine = target.starts_with("aarch64") ? llvm::ELF::EM_AARCH64 : llvm::ELF::EM_X86_64;
  ExpectObject(ParseGraph(kProgram), target, machine);
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    ExpectObject(RandomGraph(seed, {.max_nodes = 20, .train = seed == 1, .large = seed == 2}), target, machine);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ObjectFiles,
                         ::testing::Values("x86_64:x86-64", "x86_64:x86-64-v2", "x86_64:x86-64-v3", "x86_64:x86-64-v4",
                                           "aarch64:generic", "aarch64:neoverse-n1", "aarch64:neoverse-v2",
                                           "aarch64:apple-m1"));

TEST(Machine, ObjectsOfOneTargetAreTheSameEveryTime) {
  const Graph graph = RandomGraph(3, {.train = true});
  std::vector<std::string> objects;
  for (int i = 0; i < 2; ++i) {
    CompileOptions options{.target_cpu = "aarch64:generic", .link = false};
    options.dump = [&](std::string_view stage, const std::string& text) {
      if (stage == "object") objects.push_back(text);
    };
    ASSERT_OK(Compile(graph, options));
  }
  EXPECT_EQ(objects[0], objects[1]);
}

}  // namespace
}  // namespace fusebox::testing
