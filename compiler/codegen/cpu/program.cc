// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/program.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <span>
#include <unordered_map>

#include "fusebox/compiler/codegen/cpu/control.h"
#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/compiler/codegen/cpu/share.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {
namespace {

constexpr size_t kKernelsAPiece = 64;

// As a symbol that perf and gdb show.
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

  // The program as a region of another one: void(RunContext* of its own, RunContext* of the run, i64 thread, i64 threads,
  // i64 batch) runs it once.
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
  // A step: the kernels in order, and where their phases begin.
  struct Turn {
    size_t kernel;
    bool begins_phase;
  };

  // All functions but the one that calls them; their names begin with the prefix.
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

  // The regions of a branch or loop, each a program of its own. The profile knows kernels of the program alone.
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
    llvm::Function* share = nullptr;               // If it is called several times.
    std::function<WorkUnits(Value* batch)> units;  // What it has, emitted where the builder stands.
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

  // The function of this user, if it is the first, for kernel k or none:
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
    if (shared_.UsersOf(shared_.FunctionOf(user)) > 1) EmitShareFunction(functions_.back(), Symbol(symbol));
  }

  // What each call of a function that is called often would repeat: void(RunContext*, i64 first_row, i64 batch, i64 thread,
  // i64 threads, places) does the thread's share of the units.
  void EmitShareFunction(Function& function, const std::string& symbol) {
    llvm::Function* f = ir_.Begin(symbol + "_share", ir_.b.getVoidTy(),
                                  {ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.ptr()}, false);
    SetThread(f->getArg(0), f->getArg(0), f->getArg(3), f->getArg(4));
    CallBody(function, f->getArg(1), f->getArg(2), f->getArg(5));
    ir_.b.CreateRetVoid();
    function.share = f;
  }

  Value* Field(size_t offset, llvm::Type* type) { return ir_.b.CreateLoad(type, FieldAddress(offset)); }
  // A bit of RunContext::states_are_packed.
  Value* Packed(int64_t bit) {
    return ir_.b.CreateAnd(Field(offsetof(RunContext, states_are_packed), ir_.i64()), ir_.I64(bit));
  }
  Value* FieldAddress(size_t offset) { return ir_.b.CreateConstInBoundsGEP1_64(ir_.b.getInt8Ty(), run_, offset); }

  // A barrier as a function of its own, for programs with many: void(RunContext*, i64 thread, i64 threads).
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

  // The turns of a long program in functions of their own, some each: LLVM takes more than twice the time for a function of
  // twice the length.
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
    auto& b = ir_.b;
    llvm::Function* f = ir_.Begin(name, b.getVoidTy(), {ir_.ptr(), ir_.i64()}, true);
    run_ = f->getArg(0);
    Value* thread = f->getArg(1);
    Value* threads = Field(offsetof(RunContext, threads), ir_.i64());
    Value* batch = Field(offsetof(RunContext, batch), ir_.i64());
    Value* rows = Field(offsetof(RunContext, rows), ir_.i64());
    Value* first = Field(offsetof(RunContext, first_step), ir_.i64());
    Value* end = ir_.Add(first, Field(offsetof(RunContext, steps), ir_.i64()));
    Value* yield = Field(offsetof(RunContext, yield), ir_.ptr());
    Value* heeds_late = b.CreateIsNotNull(Field(offsetof(RunContext, heeds_late), ir_.i64()));
    SetThread(run_, run_, thread, threads);
    Value* leads = b.CreateICmpEQ(thread, ir_.I64(0));
    ir_.If(leads, [&] { b.CreateStore(ir_.I64(0), FieldAddress(offsetof(RunContext, steps_done))); });

    if (!plan_.packed.empty()) {
      Value* stale = b.CreateIsNull(Packed(1));
      ir_.If(stale, [&] {
        for (const size_t user : pack_) CallPanels(user);
        Barrier();
      });
    }

    // step = first; while (step < end && step * batch < rows) { ...; if (stop) break; }
    auto* header = llvm::BasicBlock::Create(ir_.context(), "step", f);
    auto* body = llvm::BasicBlock::Create(ir_.context(), "work", f);
    auto* next = llvm::BasicBlock::Create(ir_.context(), "next", f);
    auto* done = llvm::BasicBlock::Create(ir_.context(), "done", f);
    llvm::BasicBlock* before = b.GetInsertBlock();
    b.CreateBr(header);
    b.SetInsertPoint(header);
    llvm::PHINode* step = b.CreatePHI(ir_.i64(), 2);
    step->addIncoming(first, before);
    Value* first_row = ir_.Mul(step, batch);
    b.CreateCondBr(b.CreateAnd(b.CreateICmpSLT(step, end), b.CreateICmpSLT(first_row, rows)), body, done);

    b.SetInsertPoint(body);
    Value* count = ir_.Min(batch, b.CreateSub(rows, first_row));
    CallAll(turns, first_row, count);
    if (!plan_.copies.empty()) {
      Barrier();
      ir_.If(leads, [&] { Copies(first_row, count); });
    }
    // Thread 0 asks for all whether to go on. Two slots by turns: nobody may see the verdict on a later step.
    Value* verdict =
        b.CreateInBoundsGEP(b.getInt32Ty(), FieldAddress(offsetof(RunContext, stop)), b.CreateAnd(step, ir_.I64(1)));
    Value* after = ir_.Add(step, ir_.I64(1));
    ir_.If(leads, [&] {
      b.CreateStore(b.CreateSub(after, first), FieldAddress(offsetof(RunContext, steps_done)));
      const auto relaxed = [&](Value* word) {
        llvm::LoadInst* value = b.CreateAlignedLoad(b.getInt32Ty(), word, llvm::Align(4));
        value->setAtomic(llvm::AtomicOrdering::Monotonic);
        return value;
      };
      b.CreateStore(b.getInt32(0), verdict);
      ir_.If(b.CreateIsNotNull(yield), [&] { b.CreateStore(relaxed(yield), verdict); });
      ir_.If(heeds_late, [&] {
        Value* late = relaxed(FieldAddress(offsetof(RunContext, late)));
        b.CreateStore(b.CreateOr(b.CreateLoad(b.getInt32Ty(), verdict), late), verdict);
      });
    });
    Barrier();
    Value* stop = b.CreateLoad(b.getInt32Ty(), verdict);
    b.CreateCondBr(b.CreateIsNull(stop), next, done);
    b.SetInsertPoint(next);
    step->addIncoming(after, next);
    b.CreateBr(header);
    b.SetInsertPoint(done);
    if (std::ranges::any_of(unpack_, [](size_t user) { return user != kNone; })) {
      ir_.If(b.CreateIsNull(Packed(2)), [&] {
        for (const size_t user : unpack_) {
          if (user != kNone) CallPanels(user);
        }
      });
    }
    b.CreateRetVoid();
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
      CallShare(user_of_[k], first_row, count);
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
    Recorded(Profile::kPacking, [&] { CallShare(user, ir_.I64(0), ir_.I64(row_capacity_)); });
  }

  void CallShare(size_t user, Value* first_row, Value* count) {
    const Function& function = functions_[shared_.FunctionOf(user)];
    llvm::Constant* places = shared_.Places(ir_, user);
    if (function.share == nullptr) return CallBody(function, first_row, count, places);
    ir_.b.CreateCall(function.share, {run_, first_row, count, thread_, threads_, places});
  }

  // The thread's share of the units.
  void CallBody(const Function& function, Value* first_row, Value* count, Value* places) {
    auto& b = ir_.b;
    const WorkUnits units = function.units(count);
    // Divisions take longer than a small kernel.
    const auto before = [&](Value* thread) { return UnitsBefore(ir_, units, thread, threads_); };
    const Values range = ir_.Choose(
        together_, [&] { return Values{before(thread_), before(ir_.Add(thread_, ir_.I64(1)))}; },
        [&] { return Values{ir_.I64(0), units.count}; });
    Value *begin = range[0], *end = range[1];
    ir_.If(b.CreateICmpSLT(begin, end),
           [&] { b.CreateCall(function.body, {run_, first_row, count, begin, end, places}); });
  }

  // Where the program is compiled for a profile, notes how long it took.
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

std::string ProgramText(const FusedProgram& program, const Plan& plan, int64_t row_capacity, const Target& target,
                        bool profile) {
  const auto& [vector_bytes, registers, fma, caches] = target;
  const auto& [tile_rows, row_tiles, tall] = plan.row_cut;
  std::string text = fmt::format("rows {} profile {} vectors {} x {} fma {} caches {} {} {}\n", row_capacity, profile,
                                 registers, vector_bytes, fma, caches.l1d, caches.l2, caches.l3);
  const auto add = [&text]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  };
  std::unordered_map<std::string, size_t> known;
  const auto add_use = [&](Fingerprint fingerprint, const std::string& name) {
    const auto [at, is_new] = known.emplace(std::move(fingerprint.text), known.size());
    if (is_new) add("function {} {}\n{}", at->second, name, at->first);
    add("use {} {}\n", at->second, fmt::join(fingerprint.numbers, " "));
  };
  for (const Kernel& kernel : program.kernels) add_use(FingerprintOf(program, plan, kernel), NameOf(program, kernel));
  for (const Plan::Packed& packed : plan.packed) {
    const Node& state = program.graph[packed.state];
    add_use(FingerprintOf(program, plan, packed, true), state.attributes.String("name"));
    if (packed.updated) add_use(FingerprintOf(program, plan, packed, false), state.attributes.String("name"));
  }
  for (const auto& [id, control] : plan.controls) {
    add("control {} arena {} goes on {}\n", id, control.arena, control.goes_on);
    for (const auto& [node, here, other] : control.results) add("result {} {} {}\n", node, here, other);
    for (const NodeId operand : program.graph[id].inputs) {
      const fusebox::Place& place = plan.places[StorageOf(program.graph, operand)];
      add("operand {} at {} {} {}\n", ToString(program.graph[operand].type), int(place.kind), place.port, place.offset);
    }
    for (size_t i = 0; i < control.regions.size(); ++i) {
      const Plan& region = control.regions[i];
      for (const Port& port : region.ports) add("port {} {}\n", int(port.kind), port.name);
      text += ProgramText(program.regions.at(id)[i], region, row_capacity, target, profile);
    }
  }
  for (const auto& phase : plan.phases) add("phase {}\n", fmt::join(phase, " "));
  add("tiles of rows {} {} {}\n", tile_rows, row_tiles, tall);
  for (const Plan::Copy& copy : plan.copies) {
    add("copy {} from {} to {}\n", ToString(program.graph[copy.from].type), plan.places[copy.from].offset,
        copy.to_port);
  }
  return text;
}

}  // namespace fusebox::codegen
