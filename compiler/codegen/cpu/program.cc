// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/program.h"

#include <algorithm>
#include <cctype>
#include <span>

#include "fusebox/compiler/codegen/cpu/control.h"
#include "fusebox/compiler/codegen/cpu/entry.h"
#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/cpu/shared_functions.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {
namespace {

constexpr size_t kKernelsAPiece = 64;

// A name as a symbol, as perf and gdb show it.
std::string Symbol(std::string symbol) {
  std::ranges::replace_if(symbol, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return symbol;
}

class ProgramEmitter {
 public:
  ProgramEmitter(llvm::Module& module, const FusedProgram& program, const Plan& plan, int64_t row_capacity,
                 const Target& target, bool profile)
      : ir_(module), program_(program), plan_(plan), row_capacity_(row_capacity), target_(target), profile_(profile) {}

  void Run(const std::string& entry) {
    const std::vector<Turn> turns = EmitKernels("");
    EmitEntry(entry, turns);
  }

  // Emits the program as a region of another one: void(RunContext* of its own, RunContext* of the run, i64 thread,
  // i64 threads, i64 batch) runs it once.
  llvm::Function* RunAsRegion(const std::string& name) {
    const std::vector<Turn> turns = EmitKernels(name + "_");
    llvm::Function* f =
        ir_.Begin(name, ir_.b.getVoidTy(), {ir_.ptr(), ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64()}, false);
    SetThread(f->getArg(0), f->getArg(1), f->getArg(2), f->getArg(3));
    CallAll(turns, ir_.I64(0), f->getArg(4));
    ir_.b.CreateRetVoid();
    return f;
  }

 private:
  // A step is a list of turns: kernels in order.
  struct Turn {
    size_t kernel;
    bool begins_phase;
  };

  // Emits all functions but the one that calls them. Their names begin with the prefix.
  std::vector<Turn> EmitKernels(const std::string& prefix) {
    for (const Kernel& kernel : program_.kernels) {
      const bool is_control = kernel.kind == KernelKind::kControl;
      user_of_.push_back(is_control ? kNone : shared_.Add(FingerprintOf(program_, plan_, kernel)));
    }
    for (const Plan::Packed& packed : plan_.packed) {
      pack_.push_back(shared_.Add(FingerprintOf(program_, plan_, packed, true)));
      unpack_.push_back(packed.updated ? shared_.Add(FingerprintOf(program_, plan_, packed, false)) : kNone);
    }
    for (size_t k = 0; k < program_.kernels.size(); ++k) {
      if (user_of_[k] == kNone) continue;
      EmitFunction(
          user_of_[k], k, fmt::format("{}kernel{}_{}", prefix, k, NameOf(program_, program_.kernels[k])),
          [](const KernelContext& c) { return Units(c); }, [](const KernelContext& c) { Emit(c); });
    }
    for (size_t i = 0; i < plan_.packed.size(); ++i) {
      const Plan::Packed& packed = plan_.packed[i];
      const std::string& name = program_.graph[packed.state].attributes.String("name");
      for (const bool pack : {true, false}) {
        const size_t user = pack ? pack_[i] : unpack_[i];
        if (user == kNone) continue;
        EmitFunction(
            user, kNone, (pack ? "pack_" : "unpack_") + name,
            [&](const KernelContext& c) { return WorkUnits{PanelUnits(c, packed)}; },
            [&](const KernelContext& c) { EmitPanels(c, packed, pack); });
      }
    }
    barrier_ = ir_.module().getOrInsertFunction("fusebox_barrier", ir_.b.getVoidTy(), ir_.ptr());
    for (size_t k = 0; k < program_.kernels.size(); ++k) {
      if (user_of_[k] == kNone) EmitRegions(k, prefix);
    }
    std::vector<Turn> turns = Turns();
    EmitPieces(turns, prefix);
    return turns;
  }

  // The regions of a branch or loop, each a program of its own. The profile records kernels of the outermost program
  // alone.
  void EmitRegions(size_t k, const std::string& prefix) {
    const NodeId id = program_.kernels[k].members.front();
    const std::vector<FusedProgram>& regions = program_.regions.at(id);
    for (size_t i = 0; i < regions.size(); ++i) {
      ProgramEmitter emitter(ir_.module(), regions[i], plan_.controls.at(id).regions[i], row_capacity_, target_,
                             /*profile=*/false);
      const std::string name = Symbol(fmt::format("{}{}{}_{}", prefix, program_.graph[id].info().name, k, i));
      regions_[id].push_back(emitter.RunAsRegion(name));
    }
  }

  static constexpr size_t kNone = size_t(-1);
  struct Function {
    llvm::Function* body;
    llvm::Function* of_thread = nullptr;           // Does a thread's part of the units; null if it is called once.
    std::function<WorkUnits(Value* batch)> units;  // Its units, emitted where the builder stands.
  };
  using UnitsOf = std::function<WorkUnits(const KernelContext&)>;

  KernelContext Context(size_t k) {
    static const Kernel kNoKernel;
    return {.ir = ir_,
            .program = program_,
            .kernel = k == kNone ? kNoKernel : program_.kernels[k],
            .plan = plan_,
            .row_capacity = row_capacity_,
            .target = target_,
            .by_rows = k != kNone && plan_.by_rows[k]};
  }

  // Emits the function of this user, for kernel k or for none, if the user is the function's first:
  //     void(RunContext*, i64 first_row, i64 batch, i64 begin, i64 end, places)
  void EmitFunction(size_t user, size_t k, const std::string& symbol, const UnitsOf& units,
                    const std::function<void(const KernelContext&)>& body) {
    if (!shared_.IsFirst(user)) return;
    KernelContext c = Context(k);
    llvm::Function* f = ir_.Begin(Symbol(symbol), ir_.b.getVoidTy(),
                                  {ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.ptr()}, false);
    c.run = f->getArg(0);
    c.first_row = f->getArg(1);
    c.batch = f->getArg(2);
    c.begin = f->getArg(3);
    c.end = f->getArg(4);
    const std::map<NumberKey, Value*> numbers = shared_.Numbers(ir_, user, f->getArg(5));
    c.numbers = &numbers;
    body(c);
    ir_.b.CreateRetVoid();
    Check(functions_.size() == shared_.FunctionOf(user), "functions are emitted in another order than they were added");
    functions_.push_back({.body = f, .units = [this, k, units](Value* batch) {
                            KernelContext context = Context(k);
                            context.batch = batch;
                            return units(context);
                          }});
    if (shared_.UsersOf(shared_.FunctionOf(user)) > 1) EmitThreadFunction(functions_.back(), Symbol(symbol));
  }

  // For a function that is called several times, emits once what each call would repeat: void(RunContext*, i64
  // first_row, i64 batch, i64 thread, i64 threads, places) computes the thread's part of the units.
  void EmitThreadFunction(Function& function, const std::string& symbol) {
    llvm::Function* f = ir_.Begin(symbol + "_share", ir_.b.getVoidTy(),
                                  {ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.ptr()}, false);
    SetThread(f->getArg(0), f->getArg(0), f->getArg(3), f->getArg(4));
    CallBody(function, f->getArg(1), f->getArg(2), f->getArg(5));
    ir_.b.CreateRetVoid();
    function.of_thread = f;
  }

  // The barrier as a function, for programs that have many: void(RunContext*, i64 thread, i64 threads).
  void EmitWait() {
    llvm::Function* f = ir_.Begin("wait", ir_.b.getVoidTy(), {ir_.ptr(), ir_.i64(), ir_.i64()}, false);
    SetThread(f->getArg(0), f->getArg(0), f->getArg(1), f->getArg(2));
    Barrier();
    ir_.b.CreateRetVoid();
    wait_ = f;
  }

  std::vector<Turn> Turns() const {
    std::vector<Turn> turns;
    for (const auto& phase : plan_.phases) {
      for (const size_t k : phase) turns.push_back({k, k == phase.front() && !turns.empty()});
    }
    return turns;
  }

  // Spreads the turns of a long program over several functions: for a function of twice the length, LLVM takes more
  // than twice the time.
  void EmitPieces(std::span<const Turn> turns, const std::string& prefix) {
    if (turns.size() <= kKernelsAPiece) return;
    EmitWait();
    for (size_t i = 0; i < turns.size(); i += kKernelsAPiece) {
      const auto piece = turns.subspan(i, std::min(kKernelsAPiece, turns.size() - i));
      llvm::Function* f =
          ir_.Begin(fmt::format("{}kernels{}_to_{}", prefix, i, i + piece.size() - 1), ir_.b.getVoidTy(),
                    {ir_.ptr(), ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.i64()}, false);
      SetThread(f->getArg(0), f->getArg(1), f->getArg(4), f->getArg(5));
      CallKernels(piece, f->getArg(2), f->getArg(3));
      ir_.b.CreateRetVoid();
      pieces_.push_back(f);
    }
  }

  void CallKernels(std::span<const Turn> turns, Value* first_row, Value* count) {
    for (const auto& [k, begins_phase] : turns) {
      if (begins_phase) Barrier();
      CallKernel(k, first_row, count);
    }
  }

  void CallAll(std::span<const Turn> turns, Value* first_row, Value* count) {
    if (pieces_.empty()) CallKernels(turns, first_row, count);
    for (llvm::Function* piece : pieces_) ir_.b.CreateCall(piece, {run_, root_, first_row, count, thread_, threads_});
  }

  void SetThread(Value* run, Value* root, Value* thread, Value* threads) {
    run_ = run;
    root_ = root;
    thread_ = thread;
    threads_ = threads;
    together_ = ir_.b.CreateICmpSGT(threads, ir_.I64(1));
  }

  void EmitEntry(const std::string& name, std::span<const Turn> turns) {
    const auto call_all = [this](const std::vector<size_t>& users) {
      for (const size_t user : users) {
        if (user != kNone) CallPanels(user);
      }
    };
    const auto some = [](const std::vector<size_t>& users) {
      return std::ranges::any_of(users, [](size_t user) { return user != kNone; });
    };
    EntryParts parts{
        .begin = [this](Value* run, Value* thread, Value* threads) { SetThread(run, run, thread, threads); },
        .step = [&](Value* first_row, Value* rows) { CallAll(turns, first_row, rows); },
        .barrier = [this] { Barrier(); }};
    if (some(pack_)) parts.pack = [&] { call_all(pack_); };
    if (some(unpack_)) parts.unpack = [&] { call_all(unpack_); };
    if (!plan_.copies.empty()) parts.copy = [this](Value* first_row, Value* rows) { Copies(first_row, rows); };
    codegen::EmitEntry(ir_, name, parts);
  }

  void Barrier() {
    if (wait_ != nullptr) {
      ir_.b.CreateCall(wait_, {root_, thread_, threads_});
      return;
    }
    ir_.If(together_, [&] { Recorded(Profile::kWaiting, [&] { ir_.b.CreateCall(barrier_, {root_}); }); });
  }

  void CallKernel(size_t k, Value* first_row, Value* count) {
    Recorded(int64_t(k), [&] {
      if (user_of_[k] == kNone) return RunControl(k, first_row, count);
      CallForThread(user_of_[k], first_row, count);
    });
  }

  void RunControl(size_t k, Value* first_row, Value* count) {
    KernelContext c = Context(k);
    c.run = run_;
    c.first_row = first_row;
    c.batch = count;
    const NodeId id = program_.kernels[k].members.front();
    EmitControl({.c = c,
                 .id = id,
                 .regions = regions_.at(id),
                 .root = root_,
                 .thread = thread_,
                 .threads = threads_,
                 .barrier = [&] { Barrier(); }});
  }

  void CallPanels(size_t user) {
    Recorded(Profile::kPacking, [&] { CallForThread(user, ir_.I64(0), ir_.I64(row_capacity_)); });
  }

  void CallForThread(size_t user, Value* first_row, Value* count) {
    const Function& function = functions_[shared_.FunctionOf(user)];
    llvm::Constant* places = shared_.Places(ir_, user);
    if (function.of_thread == nullptr) return CallBody(function, first_row, count, places);
    ir_.b.CreateCall(function.of_thread, {run_, first_row, count, thread_, threads_, places});
  }

  // Calls the function for the thread's part of the units.
  void CallBody(const Function& function, Value* first_row, Value* count, Value* places) {
    auto& b = ir_.b;
    const WorkUnits units = function.units(count);
    // One thread alone needs no divisions, which take longer than a small kernel.
    const auto before = [&](Value* thread) { return UnitsBefore(ir_, units, thread, threads_); };
    const Values range = ir_.Choose(
        together_, [&] { return Values{before(thread_), before(ir_.Add(thread_, ir_.I64(1)))}; },
        [&] { return Values{ir_.I64(0), units.count}; });
    Value *begin = range[0], *end = range[1];
    ir_.If(b.CreateICmpSLT(begin, end),
           [&] { b.CreateCall(function.body, {run_, first_row, count, begin, end, places}); });
  }

  // Records when the kernel ran, if the program is compiled for a profile.
  void Recorded(int64_t kernel, const std::function<void()>& work) {
    if (!profile_) return work();
    auto& b = ir_.b;
    const auto clock = ir_.module().getOrInsertFunction("fusebox_clock", ir_.i64());
    const auto record =
        ir_.module().getOrInsertFunction("fusebox_record", b.getVoidTy(), ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64());
    Value* begin = b.CreateCall(clock, {});
    work();
    b.CreateCall(record, {run_, thread_, ir_.I64(kernel), begin});
  }

  void Copies(Value* first_row, Value* count) {
    KernelContext c = Context(kNone);
    c.run = run_;
    c.first_row = first_row;
    c.batch = count;
    for (const Plan::Copy& copy : plan_.copies) {
      const Type& type = program_.graph[copy.from].type;
      Value* from = ArenaAddress(c, ir_.I64(plan_.places[copy.from].offset));
      Value* to = PortAddress(c, plan_.ports[size_t(copy.to_port)], ir_.I64(copy.to_port));
      Value* bytes = ir_.Mul(c.Size(type.shape), ir_.I64(SizeOf(type.dtype)));
      ir_.b.CreateMemCpy(to, llvm::Align(1), from, llvm::Align(1), bytes);
    }
  }

  Ir ir_;
  const FusedProgram& program_;
  const Plan& plan_;
  const int64_t row_capacity_;
  const Target& target_;
  const bool profile_;
  SharedFunctions shared_;
  std::vector<size_t> user_of_;                             // By kernel; kNone for branches and loops.
  std::map<NodeId, std::vector<llvm::Function*>> regions_;  // By control node.
  std::vector<size_t> pack_, unpack_;                       // Users, one each of plan_.packed.
  std::vector<Function> functions_;
  std::vector<llvm::Function*> pieces_;
  // Of the function that is being emitted. In a region, run_ is its own context, and root_ that of the run.
  Value *run_ = nullptr, *root_ = nullptr, *thread_ = nullptr, *threads_ = nullptr, *together_ = nullptr;
  llvm::FunctionCallee barrier_;
  llvm::Function* wait_ = nullptr;
};

}  // namespace

void EmitProgram(llvm::Module& module, const std::string& entry, const FusedProgram& program, const Plan& plan,
                 int64_t row_capacity, const Target& target, bool profile) {
  ProgramEmitter(module, program, plan, row_capacity, target, profile).Run(entry);
}

}  // namespace fusebox::codegen
