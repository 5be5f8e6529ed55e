// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/jit.h"

#include <mutex>
#include <optional>
#include <thread>

#include "fusebox/compiler/native/barrier.h"
#include "fusebox/compiler/native/jit_symbols.h"
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/native/object_cache.h"
#include "fusebox/compiler/native/object_compiler.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/compiler/run_context.h"
#include "fusebox/graph/status.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ObjectFileInterface.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

namespace fusebox {
namespace {

namespace orc = llvm::orc;

absl::Status ToStatus(llvm::Error error) { return absl::InternalError("jit: " + llvm::toString(std::move(error))); }

void Record(RunContext* context, int64_t thread, int64_t kernel, int64_t begin) {
  if (context->profile != nullptr) context->profile->Record(thread, kernel, begin);
}

// The name spaces that programs are linked into, so that all of them may use the same symbols. Free ones are used
// again, as ORC would keep remains of one that is removed.
class Namespaces {
 public:
  llvm::Expected<orc::JITDylib*> Take(orc::LLJIT& jit) {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      auto made = jit.createJITDylib(fmt::format("program{}", ++made_));
      if (!made) return made.takeError();
      made->addToLinkOrder(jit.getMainJITDylib());
      free_.push_back(&*made);
    }
    orc::JITDylib* const taken = free_.back();
    free_.pop_back();
    return taken;
  }
  void GiveBack(orc::JITDylib* one) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(one);
  }

 private:
  std::mutex mutex_;
  std::vector<orc::JITDylib*> free_;
  int64_t made_ = 0;
};

// A name space with a program's objects in it.
class Code final : public NativeCode {
 public:
  Code(Namespaces& all, orc::JITDylib* mine) : all_(all), mine_(mine), tracker_(mine->createResourceTracker()) {}
  ~Code() override {
    // A name space that cannot be emptied is not used again.
    if (auto error = tracker_->remove()) {
      llvm::consumeError(std::move(error));
    } else {
      all_.GiveBack(mine_);
    }
  }
  void* entry() const override { return entry_; }

  // Links the objects. All that they define is looked up, not just the entry: LLVM 19 may miss what a function needs of
  // other objects (ObjectLinkingLayer::computeBlockNonLocalDeps, mended in LLVM 20 by 896dd322afcc). The entry is then
  // said to be ready while another thread, which has taken over the rest of the lookup, still makes a kernel's pages
  // executable.
  llvm::Error Link(orc::LLJIT& jit, const std::string& entry, const std::vector<std::string>& objects) {
    orc::ExecutionSession& session = jit.getExecutionSession();
    orc::SymbolLookupSet defined;
    for (const std::string& object : objects) {
      // A copy, as ORC keeps the buffer and expects it to be aligned.
      auto buffer = llvm::MemoryBuffer::getMemBufferCopy(object, entry);
      auto interface = orc::getObjectFileInterface(session, buffer->getMemBufferRef());
      if (!interface) return interface.takeError();
      for (const auto& [name, flags] : interface->SymbolFlags) defined.add(name);
      if (auto error = jit.getObjLinkingLayer().add(tracker_, std::move(buffer), *std::move(interface))) return error;
    }
    defined.removeDuplicates();
    auto addresses = session.lookup({{mine_, orc::JITDylibLookupFlags::MatchAllSymbols}}, std::move(defined));
    if (!addresses) return addresses.takeError();
    const auto found = addresses->find(jit.mangleAndIntern(entry));
    if (found == addresses->end()) return llvm::createStringError(entry + " is not defined");
    entry_ = found->second.getAddress().toPtr<void*>();
    return llvm::Error::success();
  }

 private:
  Namespaces& all_;
  orc::JITDylib* mine_;
  orc::ResourceTrackerSP tracker_;
  void* entry_ = nullptr;
};

// Emits a module and compiles it, on all cores unless its one object file is to be dumped.
absl::StatusOr<std::vector<std::string>> MakeObjects(const ObjectCompiler& compiler,
                                                     const std::function<void(llvm::Module&)>& emit,
                                                     const DumpCallback& dump, int64_t& ir_instructions,
                                                     std::vector<PassReport>& reports) {
  llvm::LLVMContext context;
  context.setDiscardValueNames(!dump);
  llvm::Module module("fusebox", context);
  const std::string bitcode = Timed(reports, "emit", 0, [&] {
    module.setDataLayout(compiler.machine().createDataLayout());
    module.setTargetTriple(compiler.machine().getTargetTriple().str());
    emit(module);
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream out(bytes);
    llvm::WriteBitcodeToFile(module, out);
    return std::string(bytes.begin(), bytes.end());
  });
  ir_instructions = int64_t(module.getInstructionCount());
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (llvm::verifyModule(module, &stream)) return absl::InternalError("jit: emitted IR is not valid: " + complaint);
  if (dump) {
    dump("llvm", compiler.OptimisedText(module));
    dump("asm", compiler.Assembly(module));
  }
  const size_t threads = dump ? 1 : std::max(1U, std::thread::hardware_concurrency());
  auto objects = Timed(reports, "codegen", 0, [&] { return compiler.Compile(module, bitcode, threads); });
  if (dump && objects.ok()) dump("object", (*objects)[0]);
  return objects;
}

class OrcJit final : public Jit {
 public:
  static absl::StatusOr<std::unique_ptr<OrcJit>> Create() {
    FUSEBOX_RETURN_IF_ERROR(FindMachine("native", /*to_run=*/true).status());  // Registers LLVM's targets.
    auto jit = orc::LLJITBuilder().create();
    if (!jit) return ToStatus(jit.takeError());
    if (auto error = ShowSymbols(**jit)) return ToStatus(std::move(error));
    // Errors are returned: a library does not print. Programs find the C library, for f64's exp and others, as LLJIT
    // gives every name space the process's symbols.
    (*jit)->getExecutionSession().setErrorReporter([](llvm::Error error) { llvm::consumeError(std::move(error)); });
    // Our functions that compiled programs call.
    orc::SymbolMap ours;
    const auto define = [&](const char* name, auto* function) {
      ours[(*jit)->mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(function), llvm::JITSymbolFlags::Exported};
    };
    define("fusebox_barrier", &WaitForAll);
    define("fusebox_clock", &Profile::Now);
    define("fusebox_record", &Record);
    if (auto error = (*jit)->getMainJITDylib().define(orc::absoluteSymbols(std::move(ours)))) {
      return ToStatus(std::move(error));
    }
    return std::make_unique<OrcJit>(std::move(*jit));
  }

  explicit OrcJit(std::unique_ptr<orc::LLJIT> jit) : jit_(std::move(jit)) {}

  absl::StatusOr<JitResult> Compile(const Machine& machine, const std::string& entry, const std::string& program,
                                    const std::function<void(llvm::Module&)>& emit, const JitOptions& options,
                                    std::vector<PassReport>& reports) override {
    const ObjectCompiler& compiler = *machine.compiler;
    const std::string key = compiler.Key(program);
    const bool use_cache = options.cache && options.link && !options.dump && !key.empty();
    const std::optional<ObjectCache> cache = use_cache ? ObjectCache::Open() : std::nullopt;
    if (cache) {
      const auto objects = Timed(reports, "load", 0, [&] { return cache->Load(key); });
      if (objects) {
        auto code = Timed(reports, "link", 0, [&] { return Link(entry, *objects); });
        if (code.ok()) return JitResult{.code = *std::move(code), .cache_hit = true};
        // Objects that do not link after all are compiled again.
      }
    }
    JitResult result;
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> objects,
                             MakeObjects(compiler, emit, options.dump, result.ir_instructions, reports));
    if (!options.link) return result;
    if (cache) cache->Store(key, objects);
    FUSEBOX_ASSIGN_OR_RETURN(result.code, Timed(reports, "link", 0, [&] { return Link(entry, objects); }));
    return result;
  }

 private:
  absl::StatusOr<std::shared_ptr<const NativeCode>> Link(const std::string& entry,
                                                         const std::vector<std::string>& objects) {
    auto mine = namespaces_.Take(*jit_);
    if (!mine) return ToStatus(mine.takeError());
    auto code = std::make_shared<Code>(namespaces_, *mine);
    if (auto error = code->Link(*jit_, entry, objects)) return ToStatus(std::move(error));
    return code;
  }

  std::unique_ptr<orc::LLJIT> jit_;
  Namespaces namespaces_;
};

}  // namespace

absl::StatusOr<Jit*> Jit::Get() {
  // Never destroyed, as compiled programs may outlive static objects.
  static auto* const jit = new absl::StatusOr<std::unique_ptr<OrcJit>>(OrcJit::Create());
  if (!jit->ok()) return jit->status();
  return (*jit)->get();
}

}  // namespace fusebox
