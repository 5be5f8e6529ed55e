// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/program.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <set>

#include "fusebox/compiler/codegen/kernels.h"
#include "fusebox/compiler/codegen/share.h"
#include "fusebox/compiler/profile.h"

namespace fusebox::codegen {
namespace {

constexpr size_t kKernelsAPiece = 64;

// "dense/matmul+add+max": the layer that most of it comes from, and its operations.
std::string NameOf(const FusedProgram& program, const Kernel& kernel) {
  std::string name, scope;
  for (const NodeId id : kernel.members) {
    const Node& node = program.graph[id];
    if (scope.empty()) scope = node.scope;
    if (name.size() > 40) continue;
    name += (name.empty() ? "" : "+") + std::string(node.info().name);
  }
  return scope.empty() ? name : scope + "/" + name;
}

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
    for (size_t k = 0; k < program_.kernels.size(); ++k) EmitKernel(k);
    for (const Plan::Packed& packed : plan_.packed) {
      const bool changed = program_.graph.update_of(packed.state) != 0;
      pack_.push_back(EmitPanelsFunction("pack", packed, true));
      unpack_.push_back(changed ? EmitPanelsFunction("unpack", packed, false) : SharedKernels::Kernel{});
    }
    shared_.Finish();
    EmitPieces();
    EmitEntry(entry);
  }

 private:
  static constexpr size_t kNone = size_t(-1);

  KernelContext Context(size_t k) {
    static const Kernel kNoKernel;
    return {.ir = ir_,
            .program = program_,
            .kernel = k == kNone ? kNoKernel : program_.kernels[k],
            .plan = plan_,
            .row_capacity = row_capacity_,
            .target = target_};
  }

  // void(RunContext*, i64 first_row, i64 batch, i64 begin, i64 end, places)
  SharedKernels::Kernel EmitFunction(const std::string& symbol, KernelContext c,
                                     const std::function<void(const KernelContext&)>& body) {
    llvm::Function* f =
        ir_.Begin(symbol, ir_.b.getVoidTy(), {ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.ptr()}, false);
    c.run = f->getArg(0);
    c.first_row = f->getArg(1);
    c.batch = f->getArg(2);
    c.begin = f->getArg(3);
    c.end = f->getArg(4);
    body(c);
    ir_.b.CreateRetVoid();
    return shared_.Add(f);
  }

  void EmitKernel(size_t k) {
    kernels_.push_back(EmitFunction(Symbol(fmt::format("kernel{}_{}", k, NameOf(program_, program_.kernels[k]))),
                                    Context(k), [](const KernelContext& c) { Emit(c); }));
  }

  SharedKernels::Kernel EmitPanelsFunction(const std::string& what, const Plan::Packed& packed, bool pack) {
    const std::string& name = program_.graph[packed.state].attributes.String("name");
    return EmitFunction(Symbol(what + "_" + name), Context(kNone),
                        [&](const KernelContext& c) { EmitPanels(c, packed, pack); });
  }

  Value* Field(size_t offset, llvm::Type* type) { return ir_.b.CreateLoad(type, FieldAddress(offset)); }
  // A bit of RunContext::states_are_packed.
  Value* Packed(int64_t bit) {
    return ir_.b.CreateAnd(Field(offsetof(RunContext, states_are_packed), ir_.i64()), ir_.I64(bit));
  }
  Value* FieldAddress(size_t offset) { return ir_.b.CreateConstInBoundsGEP1_64(ir_.b.getInt8Ty(), run_, offset); }

  // The phases of a long program in functions of their own, some kernels each: LLVM takes more than twice the time for a
  // function of twice the length.
  void EmitPieces() {
    barrier_ = ir_.module().getOrInsertFunction("fusebox_barrier", ir_.b.getVoidTy(), ir_.ptr());
    if (kernels_.size() <= kKernelsAPiece) return;
    for (size_t first = 0, last = 0; first < plan_.phases.size(); first = last) {
      for (size_t count = 0; last < plan_.phases.size() && count < kKernelsAPiece; ++last) {
        count += plan_.phases[last].size();
      }
      llvm::Function* f = ir_.Begin(fmt::format("phases{}_to_{}", first, last - 1), ir_.b.getVoidTy(),
                                    {ir_.ptr(), ir_.i64(), ir_.i64(), ir_.i64(), ir_.i64()}, false);
      SetThread(f->getArg(0), f->getArg(3), f->getArg(4));
      Phases(first, last, f->getArg(1), f->getArg(2));
      ir_.b.CreateRetVoid();
      pieces_.push_back(f);
    }
  }

  void Phases(size_t first, size_t last, Value* first_row, Value* count) {
    for (size_t phase = first; phase < last; ++phase) {
      if (phase > first) Barrier();
      for (const size_t k : plan_.phases[phase]) CallKernel(k, first_row, count);
    }
  }

  void SetThread(Value* run, Value* thread, Value* threads) {
    run_ = run;
    thread_ = thread;
    threads_ = threads;
    together_ = ir_.b.CreateICmpSGT(threads, ir_.I64(1));
  }

  void EmitEntry(const std::string& name) {
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
    SetThread(run_, thread, threads);
    Value* leads = b.CreateICmpEQ(thread, ir_.I64(0));
    ir_.If(leads, [&] { b.CreateStore(ir_.I64(0), FieldAddress(offsetof(RunContext, steps_done))); });

    if (!plan_.packed.empty()) {
      Value* stale = b.CreateIsNull(Packed(1));
      ir_.If(stale, [&] {
        for (size_t i = 0; i < pack_.size(); ++i) CallPanels(plan_.packed[i], pack_[i]);
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
    if (pieces_.empty()) Phases(0, plan_.phases.size(), first_row, count);
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (i > 0) Barrier();
      b.CreateCall(pieces_[i], {run_, first_row, count, thread, threads});
    }
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
      ir_.If(
          b.CreateIsNotNull(yield),
          [&] {
            llvm::LoadInst* asked = b.CreateAlignedLoad(b.getInt32Ty(), yield, llvm::Align(4));
            asked->setAtomic(llvm::AtomicOrdering::Monotonic);
            b.CreateStore(asked, verdict);
          },
          [&] { b.CreateStore(b.getInt32(0), verdict); });
    });
    Barrier();
    Value* stop = b.CreateLoad(b.getInt32Ty(), verdict);
    b.CreateCondBr(b.CreateIsNull(stop), next, done);
    b.SetInsertPoint(next);
    step->addIncoming(after, next);
    b.CreateBr(header);
    b.SetInsertPoint(done);
    if (std::ranges::any_of(unpack_, [](const SharedKernels::Kernel& k) { return k.function != nullptr; })) {
      ir_.If(b.CreateIsNull(Packed(2)), [&] {
        for (size_t i = 0; i < unpack_.size(); ++i) {
          if (unpack_[i].function != nullptr) CallPanels(plan_.packed[i], unpack_[i]);
        }
      });
    }
    b.CreateRetVoid();
  }

  void Barrier() {
    ir_.If(together_, [&] { Recorded(Profile::kWaiting, [&] { ir_.b.CreateCall(barrier_, {run_}); }); });
  }

  void CallKernel(size_t k, Value* first_row, Value* count) {
    KernelContext c = Context(k);
    c.run = run_;
    c.first_row = first_row;
    c.batch = count;
    Recorded(int64_t(k), [&] { CallShare(kernels_[k], Units(c), first_row, count); });
  }

  void CallPanels(const Plan::Packed& packed, const SharedKernels::Kernel& kernel) {
    Recorded(Profile::kPacking,
             [&] { CallShare(kernel, PanelUnits(Context(kNone), packed), ir_.I64(0), ir_.I64(row_capacity_)); });
  }

  // The thread's share of the units: which unit is whose depends on the number of threads, what a unit does not.
  void CallShare(const SharedKernels::Kernel& kernel, Value* units, Value* first_row, Value* count) {
    auto& b = ir_.b;
    Value* begin = b.CreateUDiv(ir_.Mul(units, thread_), threads_);
    Value* end = b.CreateUDiv(ir_.Mul(units, ir_.Add(thread_, ir_.I64(1))), threads_);
    ir_.If(b.CreateICmpSLT(begin, end),
           [&] { b.CreateCall(kernel.function, {run_, first_row, count, begin, end, kernel.places}); });
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
      Value* from = ArenaAddress(c, plan_.places[copy.from].offset);
      Value* bytes = ir_.Mul(c.Size(type.shape), ir_.I64(SizeOf(type.dtype)));
      ir_.b.CreateMemCpy(PortAddress(c, copy.to_port), llvm::Align(1), from, llvm::Align(1), bytes);
    }
  }

  Ir ir_;
  const FusedProgram& program_;
  const Plan& plan_;
  const int64_t row_capacity_;
  const Target& target_;
  const bool profile_;
  SharedKernels shared_;
  std::vector<SharedKernels::Kernel> kernels_;
  std::vector<SharedKernels::Kernel> pack_, unpack_;  // One each of plan_.packed.
  std::vector<llvm::Function*> pieces_;
  // Of the function that is being emitted.
  Value *run_ = nullptr, *thread_ = nullptr, *threads_ = nullptr, *together_ = nullptr;
  llvm::FunctionCallee barrier_;
};

}  // namespace

void EmitProgram(llvm::Module& module, const std::string& entry, const FusedProgram& program, const Plan& plan,
                 int64_t row_capacity, const Target& target, bool profile) {
  ProgramEmitter(module, program, plan, row_capacity, target, profile).Run(entry);
}

std::vector<KernelReport> DescribeKernels(const FusedProgram& program, const Plan& plan, int64_t row_capacity,
                                          const Target& target) {
  llvm::LLVMContext context;
  llvm::Module module("report", context);
  Ir ir(module);
  std::vector<KernelReport> reports;
  const auto bytes_of = [&](NodeId id) {
    const Type& type = program.graph[id].type;
    return double(NumElements(type.shape, row_capacity) * SizeOf(type.dtype));
  };
  for (const Kernel& kernel : program.kernels) {
    KernelReport report;
    report.name = NameOf(program, kernel);
    report.kind = Name(kernel.kind);
    report.shape = ToString(kernel.space);
    std::set<NodeId> read;
    for (const NodeId id : kernel.members) {
      const Node& node = program.graph[id];
      report.operations.push_back(node.info().name);
      const auto elements = double(NumElements(node.type.shape, row_capacity));
      if (node.op == Op::kMatMul) {
        const Shape& a = program.graph[node.inputs[0]].type.shape;
        report.flops += 2 * elements * double(Resolve(a[node.attributes.Flag("transpose_a") ? 0 : 1], row_capacity));
        const KernelContext c = {.ir = ir,
                                 .program = program,
                                 .kernel = kernel,
                                 .plan = plan,
                                 .row_capacity = row_capacity,
                                 .target = target};
        report.tile = MatMulTile(c);
      } else if (node.info().kind == OpKind::kElementwise) {
        report.flops += elements;
      } else if (node.info().kind == OpKind::kReduce) {
        report.flops += double(NumElements(program.graph[node.inputs[0]].type.shape, row_capacity));
      }
      if (node.op == Op::kRows) report.bytes += bytes_of(id);
      for (const NodeId input : DataInputs(node)) {
        const NodeId storage = StorageOf(program.graph, input);
        const bool in_memory = plan.places[storage].kind != fusebox::Place::Kind::kNone;
        if (!kernel.Has(storage) && in_memory && read.insert(storage).second) report.bytes += bytes_of(storage);
      }
    }
    for (const NodeId id : kernel.stored) report.bytes += bytes_of(id);
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace fusebox::codegen
