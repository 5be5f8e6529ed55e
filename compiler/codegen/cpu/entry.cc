// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/entry.h"

#include <cstddef>

#include "fusebox/compiler/codegen/kernel_context.h"
#include "fusebox/compiler/run_context.h"

namespace fusebox::codegen {
namespace {

class EntryEmitter {
 public:
  EntryEmitter(Ir& ir, const EntryParts& parts) : ir_(ir), parts_(parts) {}

  void Run(const std::string& name) {
    llvm::Function* f = ir_.Begin(name, ir_.b.getVoidTy(), {ir_.ptr(), ir_.i64()}, true);
    run_ = f->getArg(0);
    Value* thread = f->getArg(1);
    Value* threads = Number(offsetof(RunContext, threads));
    batch_ = Number(offsetof(RunContext, batch));
    rows_ = Number(offsetof(RunContext, rows));
    first_ = Number(offsetof(RunContext, first_step));
    end_ = ir_.Add(first_, Number(offsetof(RunContext, steps)));
    yield_ = ir_.b.CreateLoad(ir_.ptr(), Field(offsetof(RunContext, yield)));
    heeds_late_ = ir_.b.CreateIsNotNull(Number(offsetof(RunContext, heeds_late)));
    parts_.begin(run_, thread, threads);
    leads_ = ir_.b.CreateICmpEQ(thread, ir_.I64(0));
    ir_.If(leads_, [&] { ir_.b.CreateStore(ir_.I64(0), Field(offsetof(RunContext, steps_done))); });

    if (parts_.pack) {
      ir_.If(ir_.b.CreateIsNull(Packed(1)), [&] {
        parts_.pack();
        parts_.barrier();
      });
    }
    Steps();
    if (parts_.unpack) ir_.If(ir_.b.CreateIsNull(Packed(2)), parts_.unpack);
    ir_.b.CreateRetVoid();
  }

 private:
  Value* Field(size_t offset) { return ContextField(ir_, run_, offset); }
  Value* Number(size_t offset) { return ir_.b.CreateLoad(ir_.i64(), Field(offset)); }
  // A bit of RunContext::states_are_packed.
  Value* Packed(int64_t bit) { return ir_.b.CreateAnd(Number(offsetof(RunContext, states_are_packed)), ir_.I64(bit)); }

  // step = first; while (step < end && step * batch < rows) { ...; if (stop) break; }
  void Steps() {
    auto& b = ir_.b;
    auto* header = llvm::BasicBlock::Create(ir_.context(), "step", ir_.function());
    auto* body = llvm::BasicBlock::Create(ir_.context(), "work", ir_.function());
    auto* next = llvm::BasicBlock::Create(ir_.context(), "next", ir_.function());
    auto* done = llvm::BasicBlock::Create(ir_.context(), "done", ir_.function());
    llvm::BasicBlock* before = b.GetInsertBlock();
    b.CreateBr(header);
    b.SetInsertPoint(header);
    llvm::PHINode* step = b.CreatePHI(ir_.i64(), 2);
    step->addIncoming(first_, before);
    Value* first_row = ir_.Mul(step, batch_);
    b.CreateCondBr(b.CreateAnd(b.CreateICmpSLT(step, end_), b.CreateICmpSLT(first_row, rows_)), body, done);

    b.SetInsertPoint(body);
    Value* count = ir_.Min(batch_, b.CreateSub(rows_, first_row));
    parts_.step(first_row, count);
    if (parts_.copy) {
      parts_.barrier();
      ir_.If(leads_, [&] { parts_.copy(first_row, count); });
    }
    Value* after = nullptr;
    Value* stop = Stop(step, &after);
    b.CreateCondBr(b.CreateIsNull(stop), next, done);
    b.SetInsertPoint(next);
    step->addIncoming(after, next);
    b.CreateBr(header);
    b.SetInsertPoint(done);
  }

  // After a step, thread 0 decides for all threads whether to go on. It uses two slots alternately, so that no thread
  // sees the verdict on a later step. Sets `after` to the next step.
  Value* Stop(Value* step, Value** after) {
    auto& b = ir_.b;
    Value* verdict =
        b.CreateInBoundsGEP(b.getInt32Ty(), Field(offsetof(RunContext, stop)), b.CreateAnd(step, ir_.I64(1)));
    *after = ir_.Add(step, ir_.I64(1));
    ir_.If(leads_, [&] {
      b.CreateStore(b.CreateSub(*after, first_), Field(offsetof(RunContext, steps_done)));
      const auto relaxed = [&](Value* word) {
        llvm::LoadInst* value = b.CreateAlignedLoad(b.getInt32Ty(), word, llvm::Align(4));
        value->setAtomic(llvm::AtomicOrdering::Monotonic);
        return value;
      };
      b.CreateStore(b.getInt32(0), verdict);
      ir_.If(b.CreateIsNotNull(yield_), [&] { b.CreateStore(relaxed(yield_), verdict); });
      ir_.If(heeds_late_, [&] {
        Value* late = relaxed(Field(offsetof(RunContext, late)));
        b.CreateStore(b.CreateOr(b.CreateLoad(b.getInt32Ty(), verdict), late), verdict);
      });
    });
    parts_.barrier();
    return b.CreateLoad(b.getInt32Ty(), verdict);
  }

  Ir& ir_;
  const EntryParts& parts_;
  Value *run_ = nullptr, *batch_ = nullptr, *rows_ = nullptr, *first_ = nullptr, *end_ = nullptr;
  Value *yield_ = nullptr, *heeds_late_ = nullptr;
  Value* leads_ = nullptr;  // Whether this is thread 0.
};

}  // namespace

void EmitEntry(Ir& ir, const std::string& name, const EntryParts& parts) { EntryEmitter(ir, parts).Run(name); }

}  // namespace fusebox::codegen
