// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/jit.h"

#include <atomic>
#include <mutex>

#include "fusebox/compiler/barrier.h"
#include "fusebox/compiler/codegen/ir.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/graph/status.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace fusebox {
namespace {

namespace orc = llvm::orc;

absl::Status ToStatus(llvm::Error error) { return absl::InternalError("jit: " + llvm::toString(std::move(error))); }

codegen::Target Describe(const llvm::TargetMachine& machine) {
  const llvm::StringRef features = machine.getTargetFeatureString();
  codegen::Target target;
  const auto has = [&](const char* feature) {
    return features.contains(std::string("+") + feature + ",") || features.ends_with(std::string("+") + feature);
  };
  if (machine.getTargetTriple().isAArch64()) return {.vector_bytes = 16, .registers = 32, .fma = true};
  target.fma = has("fma");
  if (has("avx2")) target.vector_bytes = 32;
  if (has("avx512f") && has("avx512vl") && has("avx512bw") && has("avx512dq"))
    target = {.vector_bytes = 64, .registers = 32, .fma = true};
  return target;
}

void Record(RunContext* context, int64_t thread, int64_t kernel, int64_t begin) {
  if (context->profile != nullptr) context->profile->Record(thread, kernel, begin);
}

class Code final : public NativeCode {
 public:
  Code(orc::ResourceTrackerSP tracker, void* entry) : tracker_(std::move(tracker)), entry_(entry) {}
  ~Code() override { llvm::consumeError(tracker_->remove()); }
  void* entry() const override { return entry_; }

 private:
  orc::ResourceTrackerSP tracker_;
  void* entry_;
};

class OrcJit final : public Jit {
 public:
  static absl::StatusOr<std::unique_ptr<OrcJit>> Create() {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto builder = orc::JITTargetMachineBuilder::detectHost();
    if (!builder) return ToStatus(builder.takeError());
    builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
    auto machine = builder->createTargetMachine();
    if (!machine) return ToStatus(machine.takeError());
    auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(*builder).create();
    if (!jit) return ToStatus(jit.takeError());
    orc::JITDylib& main = (*jit)->getMainJITDylib();
    // The C library, for exp and others of f64.
    auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
    if (!process) return ToStatus(process.takeError());
    main.addGenerator(std::move(*process));
    // What compiled programs call of ours.
    orc::SymbolMap ours;
    const auto define = [&](const char* name, auto* function) {
      ours[(*jit)->mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(function), llvm::JITSymbolFlags::Exported};
    };
    define("fusebox_barrier", &WaitForAll);
    define("fusebox_clock", &Profile::Now);
    define("fusebox_record", &Record);
    if (auto error = main.define(orc::absoluteSymbols(std::move(ours)))) return ToStatus(std::move(error));
    return std::make_unique<OrcJit>(std::move(*jit), std::move(*machine));
  }

  OrcJit(std::unique_ptr<orc::LLJIT> jit, std::unique_ptr<llvm::TargetMachine> machine)
      : jit_(std::move(jit)), machine_(std::move(machine)), target_(Describe(*machine_)) {}

  const codegen::Target& target() const override { return target_; }

  absl::StatusOr<std::shared_ptr<const NativeCode>> Compile(
      const std::string& entry, const std::function<void(llvm::Module&)>& emit,
      const std::function<void(std::string_view, const std::string&)>& dump) override {
    // The TargetMachine that optimises is one for all; compiling a module takes long, so callers take turns here.
    const std::scoped_lock lock(mutex_);
    auto context = std::make_unique<llvm::LLVMContext>();
    auto module = std::make_unique<llvm::Module>(entry, *context);
    module->setDataLayout(jit_->getDataLayout());
    module->setTargetTriple(machine_->getTargetTriple().str());
    emit(*module);
    std::string complaint;
    llvm::raw_string_ostream stream(complaint);
    if (llvm::verifyModule(*module, &stream)) return absl::InternalError("jit: emitted IR is not valid: " + complaint);
    Optimise(*module);
    if (dump) {
      std::string text;
      llvm::raw_string_ostream out(text);
      module->print(out, nullptr);
      dump("llvm", text);
      dump("asm", Assembly(*module));
    }
    orc::ResourceTrackerSP tracker = jit_->getMainJITDylib().createResourceTracker();
    if (auto error = jit_->addIRModule(tracker, orc::ThreadSafeModule(std::move(module), std::move(context)))) {
      return ToStatus(std::move(error));
    }
    auto address = jit_->lookup(entry);
    if (!address) return ToStatus(address.takeError());
    return std::make_shared<Code>(std::move(tracker), address->toPtr<void*>());
  }

  std::string UniqueName(const std::string& stem) override { return fmt::format("{}{}", stem, ++count_); }

 private:
  // The emitters write clean IR: beyond these two passes LLVM's optimiser costs time and finds nothing.
  void Optimise(llvm::Module& module) {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager calls;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(machine_.get());
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(calls);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, calls, modules);
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
    llvm::ModulePassManager all;
    all.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
    all.run(module, modules);
  }

  std::string Assembly(const llvm::Module& module) {
    const auto copy = llvm::CloneModule(module);
    llvm::SmallVector<char, 0> text;
    llvm::raw_svector_ostream out(text);
    llvm::legacy::PassManager passes;
    if (machine_->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile)) return "";
    passes.run(*copy);
    return std::string(text.begin(), text.end());
  }

  std::unique_ptr<orc::LLJIT> jit_;
  std::unique_ptr<llvm::TargetMachine> machine_;
  codegen::Target target_;
  std::mutex mutex_;
  std::atomic<int64_t> count_ = 0;
};

}  // namespace

absl::StatusOr<Jit*> Jit::Get() {
  // Never destroyed: compiled programs may outlive any order of static destructors.
  static auto* const jit = new absl::StatusOr<std::unique_ptr<OrcJit>>(OrcJit::Create());
  if (!jit->ok()) return jit->status();
  return (*jit)->get();
}

}  // namespace fusebox
