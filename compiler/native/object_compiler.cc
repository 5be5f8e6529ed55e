// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/object_compiler.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <system_error>
#include <thread>

#include "fmt/format.h"
#include "fusebox/compiler/native/linker_build_id.h"
#include "fusebox/graph/check.h"
#include "llvm-c/Core.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/OptBisect.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/xxhash.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace fusebox {
namespace {

namespace orc = llvm::orc;

// The emitters write clean IR. Beyond these two passes, LLVM's optimiser takes time and finds nothing.
constexpr std::string_view kPasses = "function(sroa<modify-cfg>,early-cse<memssa>)";
// An empty module takes LLVM a millisecond, as much as some hundred instructions.
constexpr size_t kLeastInstructions = 1000;
constexpr size_t kGroupsAThread = 2;  // So that other threads can take over from a slow one.

// Leaves out a pass of the code generator that would take two thirds of its time: it weighs every way to write each
// address in a tile's loop. The emitters already write addresses as a base and constants, and code without the pass is
// as fast. The pass's only other switch is global, and global state belongs to the process, not to a library.
class WithoutLoopStrengthReduction final : public llvm::OptPassGate {
 public:
  bool isEnabled() const override { return true; }
  bool shouldRunPass(const llvm::StringRef pass, llvm::StringRef) override { return pass != "Loop Strength Reduction"; }
};

void Optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  llvm::ModulePassManager passes;
  Check(!builder.parsePassPipeline(passes, kPasses), "LLVM does not know its own passes");
  passes.run(module, modules);
}

// Spreads functions, by name, over groups of about equally many instructions: from the largest down, each goes to the
// group that has fewest so far.
std::vector<std::set<std::string>> Spread(const llvm::Module& module, size_t threads) {
  std::vector<std::pair<size_t, std::string>> functions;
  size_t total = 0;
  for (const llvm::Function& f : module) {
    if (f.isDeclaration()) continue;
    functions.emplace_back(f.getInstructionCount(), f.getName().str());
    total += functions.back().first;
  }
  std::ranges::stable_sort(functions, std::greater(), [](const auto& f) { return f.first; });
  const size_t most = std::min(threads == 1 ? 1 : threads * kGroupsAThread, functions.size());
  const size_t count = std::clamp<size_t>(total / kLeastInstructions, 1, std::max<size_t>(most, 1));
  std::vector<std::set<std::string>> groups(count);
  std::set<std::pair<size_t, size_t>> sizes;  // Instructions, group.
  for (size_t g = 0; g < count; ++g) sizes.emplace(0, g);
  for (const auto& [size, name] : functions) {
    const auto [least, group] = *sizes.begin();
    sizes.erase(sizes.begin());
    sizes.emplace(least + size, group);
    groups[group].insert(name);
  }
  return groups;
}

// The module with the bodies of these functions alone, read into its own context, as a context is for one thread.
// Bodies of other functions are not even read.
llvm::Expected<std::unique_ptr<llvm::Module>> ReadGroup(const std::string& bitcode, llvm::LLVMContext& context,
                                                        const std::set<std::string>& group) {
  auto module = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef(bitcode, "fusebox"), context);
  if (!module) return module;
  for (llvm::Function& f : **module) {
    if (f.isDeclaration() && !f.isMaterializable()) continue;
    f.setLinkage(llvm::GlobalValue::ExternalLinkage);
    if (!group.contains(f.getName().str())) {
      f.deleteBody();
    } else if (auto error = f.materialize()) {
      return error;
    }
  }
  if (auto error = (*module)->materializeAll()) return error;
  for (llvm::GlobalVariable& table : llvm::make_early_inc_range((*module)->globals())) {
    if (table.use_empty()) table.eraseFromParent();
  }
  return module;
}

// Calls job(0), ..., job(jobs - 1) on at most `threads` threads, which have the affinity of the caller.
void RunOnThreads(size_t jobs, size_t threads, const std::function<void(size_t)>& job) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < jobs; i = next++) job(i);
  };
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < std::min(jobs, threads)) others.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads than these.
  }
  work();
}

std::string SortedFeatures(const llvm::TargetMachine& machine) {
  llvm::SmallVector<llvm::StringRef> features;
  machine.getTargetFeatureString().split(features, ',', -1, /*KeepEmpty=*/false);
  std::ranges::sort(features);
  return llvm::join(features, ",");
}

}  // namespace

absl::StatusOr<ObjectCompiler> ObjectCompiler::Create(orc::JITTargetMachineBuilder builder) {
  // Less than Default makes slower code, more makes the same code. The linker wants position-independent code of the
  // small model.
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  builder.setRelocationModel(llvm::Reloc::PIC_);
  builder.setCodeModel(llvm::CodeModel::Small);
  auto machine = builder.createTargetMachine();
  if (!machine) return absl::InternalError("jit: " + llvm::toString(machine.takeError()));
  return ObjectCompiler(std::move(builder), std::move(*machine));
}

std::unique_ptr<llvm::TargetMachine> ObjectCompiler::NewMachine() const {
  orc::JITTargetMachineBuilder builder = builder_;
  auto machine = builder.createTargetMachine();
  Check(bool(machine), "a target machine that could be made cannot be made again");
  return std::move(*machine);
}

std::string ObjectCompiler::Name() const {
  if (LinkerBuildId().empty()) return "";
  // The version of the library that is loaded, which may have been replaced since this file was compiled.
  unsigned major = 0, minor = 0, patch = 0;
  LLVMGetVersion(&major, &minor, &patch);
  return fmt::format(
      "fusebox {}\nbuild {}\nLLVM {}.{}.{}, headers {}\npasses {}\ncode generator O2, PIC, small, no LSR\n"
      "triple {}\nCPU {}\nfeatures {}\n",
      FUSEBOX_VERSION, LinkerBuildId(), major, minor, patch, LLVM_VERSION_STRING, kPasses,
      machine_->getTargetTriple().str(), machine_->getTargetCPU().str(), SortedFeatures(*machine_));
}

std::string ObjectCompiler::Key(const std::string& program) const {
  const std::string name = Name();
  if (name.empty()) return "";
  const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t*>(program.data()), program.size());
  const llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes);
  return fmt::format("{}program {:016x}{:016x}, {} bytes\n", name, hash.high64, hash.low64, program.size());
}

absl::StatusOr<std::vector<std::string>> ObjectCompiler::Compile(const llvm::Module& module, const std::string& bitcode,
                                                                 size_t threads) const {
  const std::vector<std::set<std::string>> groups = Spread(module, threads);
  std::vector<std::string> objects(groups.size()), errors(groups.size());
  RunOnThreads(groups.size(), threads, [&](size_t g) {
    WithoutLoopStrengthReduction gate;
    llvm::LLVMContext context;
    context.setOptPassGate(gate);
    auto part = ReadGroup(bitcode, context, groups[g]);
    if (!part) {
      errors[g] = llvm::toString(part.takeError());
      return;
    }
    const auto machine = NewMachine();
    Optimise(**part, *machine);
    auto object = orc::SimpleCompiler(*machine)(**part);
    if (object) {
      objects[g] = (*object)->getBuffer().str();
    } else {
      errors[g] = llvm::toString(object.takeError());
    }
  });
  for (const std::string& error : errors) {
    if (!error.empty()) return absl::InternalError("jit: " + error);
  }
  return objects;
}

std::string ObjectCompiler::OptimisedText(const llvm::Module& module) const {
  const auto copy = llvm::CloneModule(module);
  Optimise(*copy, *NewMachine());
  std::string text;
  llvm::raw_string_ostream out(text);
  copy->print(out, nullptr);
  return text;
}

std::string ObjectCompiler::Assembly(const llvm::Module& module) const {
  const auto copy = llvm::CloneModule(module);
  const auto machine = NewMachine();
  Optimise(*copy, *machine);
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream out(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile)) return "";
  passes.run(*copy);
  return std::string(text.begin(), text.end());
}

}  // namespace fusebox
