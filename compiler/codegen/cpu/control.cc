// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/control.h"

#include <cstddef>

#include "fusebox/compiler/run_context.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/regions.h"

namespace fusebox::codegen {
namespace {

// A local variable, in the function's entry block: in a loop, LLVM would grow the stack with each iteration.
Value* Local(Ir& ir, llvm::Type* type, uint64_t align) {
  llvm::BasicBlock& entry = ir.function()->getEntryBlock();
  llvm::IRBuilder<> b(&entry, entry.begin());
  llvm::AllocaInst* local = b.CreateAlloca(type);
  local->setAlignment(llvm::Align(align));
  return local;
}

// A region's table of ports, and the context that it runs in.
class RegionSite {
 public:
  RegionSite(const ControlSite& site, size_t region)
      : site_(site), ir_(site.c.ir), plan_(Control(site).regions[region]), function_(site.regions[region]) {
    ports_ = Local(ir_, llvm::ArrayType::get(ir_.ptr(), plan_.ports.size()), alignof(void*));
    context_ = Local(ir_, llvm::ArrayType::get(ir_.b.getInt8Ty(), sizeof(RunContext)), alignof(RunContext));
    ir_.b.CreateStore(ports_, Field(offsetof(RunContext, ports)));
    ir_.b.CreateStore(ArenaAddress(site.c, ir_.I64(Control(site).arena)), Field(offsetof(RunContext, arena)));
  }

  static const Plan::Control& Control(const ControlSite& site) { return site.c.plan.controls.at(site.id); }

  // Sets where the region finds operand i, and where it puts output i. Does nothing if the region does not use the
  // operand.
  void SetOperand(size_t i, Value* address) { Set(Port::Kind::kInput, i, address); }
  void SetOutput(size_t i, Value* address) { Set(Port::Kind::kOutput, i, address); }

  void Run() { ir_.b.CreateCall(function_, {context_, site_.root, site_.thread, site_.threads, site_.c.batch}); }

 private:
  Value* Field(size_t offset) { return ContextField(ir_, context_, offset); }
  void Set(Port::Kind kind, size_t i, Value* address) {
    for (size_t p = 0; p < plan_.ports.size(); ++p) {
      if (plan_.ports[p].kind != kind || plan_.ports[p].name != std::to_string(i)) continue;
      ir_.b.CreateStore(address, ir_.b.CreateConstInBoundsGEP1_64(ir_.ptr(), ports_, p));
    }
  }

  const ControlSite& site_;
  Ir& ir_;
  const Plan& plan_;
  llvm::Function* const function_;
  Value *ports_ = nullptr, *context_ = nullptr;
};

class ControlEmitter {
 public:
  explicit ControlEmitter(const ControlSite& site)
      : site_(site), c_(site.c), ir_(c_.ir), node_(c_.graph()[site.id]), control_(RegionSite::Control(site)) {
    for (const NodeId input : node_.inputs) operands_.push_back(AddressOf(StorageOf(c_.graph(), input)));
    for (const Plan::Control::Result& result : control_.results) {
      here_.push_back(result.node != 0 ? AddressOf(result.node) : ArenaAddress(c_, ir_.I64(result.here)));
      other_.push_back(result.other >= 0 ? ArenaAddress(c_, ir_.I64(result.other)) : nullptr);
    }
  }

  void Emit() {
    switch (node_.op) {
      case Op::kCond:
        return EmitCond();
      case Op::kScan:
        return EmitScan();
      case Op::kWhile:
        return EmitWhile();
      default:
        Check(false, "no op with regions is left at this stage");
    }
  }

 private:
  void EmitCond() {
    const auto run = [&](size_t branch) {
      RegionSite region(site_, branch);
      for (size_t i = 0; i < operands_.size(); ++i) region.SetOperand(i, operands_[i]);
      for (size_t i = 0; i < here_.size(); ++i) region.SetOutput(i, here_[i]);
      region.Run();
    };
    ir_.If(IsTrue(operands_[0]), [&] { run(0); }, [&] { run(1); });
  }

  void EmitScan() {
    const size_t carries = CarriesOf(node_), sequences = SequencesOf(node_);
    Value* length = c_.Dim(node_.attributes.Int("length"));
    RegionSite body(site_, 0);
    for (size_t i = carries + sequences; i < operands_.size(); ++i) body.SetOperand(i, operands_[i]);
    const Values now = Carries(carries);
    ir_.Loop(ir_.I64(0), length, 1, [&](Value* time) {
      // All threads have finished the previous iteration: its results may be read, and its operands written.
      ir_.If(ir_.b.CreateICmpSGT(time, ir_.I64(0)), site_.barrier);
      Value* left = ir_.b.CreateSub(ir_.b.CreateSub(length, ir_.I64(1)), time);
      Value* entry = node_.attributes.Flag("reverse") ? left : time;
      // Iterations write to two places alternately. The last iteration writes to the place of the result.
      Value* is_even = ir_.b.CreateIsNull(ir_.b.CreateAnd(left, ir_.I64(1)));
      for (size_t i = 0; i < carries; ++i) {
        body.SetOperand(i, ir_.b.CreateLoad(ir_.ptr(), now[i]));
        Value* next = ir_.b.CreateSelect(is_even, here_[i], other_[i]);
        body.SetOutput(i, next);
        ir_.b.CreateStore(next, now[i]);
      }
      for (size_t i = carries; i < carries + sequences; ++i) {
        body.SetOperand(i, EntryAddress(operands_[i], EntryOf(c_.graph()[node_.inputs[i]].type), entry));
      }
      for (size_t i = carries; i < here_.size(); ++i) body.SetOutput(i, KeptAddress(i, entry));
      body.Run();
    });
    LeaveCarries(now);
  }

  void EmitWhile() {
    const size_t carries = CarriesOf(node_);
    const int64_t limit = node_.attributes.Int("limit");
    RegionSite condition(site_, 0), body(site_, 1);
    for (size_t i = carries; i < operands_.size(); ++i) {
      condition.SetOperand(i, operands_[i]);
      body.SetOperand(i, operands_[i]);
    }
    Value* goes_on = ArenaAddress(c_, ir_.I64(control_.goes_on));
    condition.SetOutput(0, goes_on);
    const Values now = Carries(carries);
    auto& b = ir_.b;
    llvm::BasicBlock* before = b.GetInsertBlock();
    auto* header = llvm::BasicBlock::Create(ir_.context(), "while", ir_.function());
    auto* inside = llvm::BasicBlock::Create(ir_.context(), "do", ir_.function());
    auto* after = llvm::BasicBlock::Create(ir_.context(), "done", ir_.function());
    b.CreateBr(header);
    b.SetInsertPoint(header);
    llvm::PHINode* time = b.CreatePHI(ir_.i64(), 2);
    time->addIncoming(ir_.I64(0), before);
    for (size_t i = 0; i < carries; ++i) condition.SetOperand(i, b.CreateLoad(ir_.ptr(), now[i]));
    condition.Run();
    site_.barrier();
    Value* again = IsTrue(goes_on);
    if (limit > 0) again = b.CreateAnd(again, b.CreateICmpSLT(time, ir_.I64(limit)));
    b.CreateCondBr(again, inside, after);
    b.SetInsertPoint(inside);
    for (size_t i = 0; i < carries; ++i) {
      Value* old = b.CreateLoad(ir_.ptr(), now[i]);
      Value* next = b.CreateSelect(b.CreateICmpEQ(old, here_[i]), other_[i], here_[i]);
      body.SetOperand(i, old);
      body.SetOutput(i, next);
      b.CreateStore(next, now[i]);
    }
    body.Run();
    site_.barrier();
    time->addIncoming(ir_.Add(time, ir_.I64(1)), b.GetInsertBlock());
    b.CreateBr(header);
    b.SetInsertPoint(after);
    LeaveCarries(now);
  }

  // Variables that tell where each carry lies now: at first, where the operand does.
  Values Carries(size_t count) {
    Values now;
    for (size_t i = 0; i < count; ++i) {
      now.push_back(Local(ir_, ir_.ptr(), alignof(void*)));
      ir_.b.CreateStore(operands_[i], now[i]);
    }
    return now;
  }

  // After a loop: copies a carry to where its result belongs, if it lies elsewhere.
  void LeaveCarries(const Values& now) {
    Value* leads = ir_.b.CreateICmpEQ(site_.thread, ir_.I64(0));
    for (size_t i = 0; i < now.size(); ++i) {
      if (control_.results[i].node == 0) continue;
      Value* at = ir_.b.CreateLoad(ir_.ptr(), now[i]);
      ir_.If(ir_.b.CreateAnd(leads, ir_.b.CreateICmpNE(at, here_[i])), [&] {
        Value* bytes = BytesOf(c_.graph()[node_.inputs[i]].type);
        ir_.b.CreateMemCpy(here_[i], llvm::Align(1), at, llvm::Align(1), bytes);
      });
    }
  }

  Value* KeptAddress(size_t i, Value* entry) {
    const NodeId node = control_.results[i].node;
    return node != 0 ? EntryAddress(here_[i], EntryOf(c_.graph()[node].type), entry) : here_[i];
  }

  Value* EntryAddress(Value* sequence, const Type& one, Value* entry) {
    return ir_.b.CreateInBoundsGEP(ir_.b.getInt8Ty(), sequence, ir_.Mul(entry, BytesOf(one)));
  }

  Value* BytesOf(const Type& type) { return ir_.Mul(c_.Size(type.shape), ir_.I64(SizeOf(type.dtype))); }

  Value* IsTrue(Value* address) { return ir_.LoadLanes(address, DType::kBool, ir_.I64(0), 1, nullptr); }

  Value* AddressOf(NodeId storage) {
    const fusebox::Place& place = c_.plan.places[storage];
    Check(place.kind != fusebox::Place::Kind::kNone, "a branch or loop reads what is not in memory");
    if (place.kind == fusebox::Place::Kind::kArena) return ArenaAddress(c_, ir_.I64(place.offset));
    return PortAddress(c_, c_.plan.ports[size_t(place.port)], ir_.I64(place.port));
  }

  const ControlSite& site_;
  const KernelContext& c_;
  Ir& ir_;
  const Node& node_;
  const Plan::Control& control_;
  Values operands_, here_, other_;  // Addresses.
};

}  // namespace

void EmitControl(const ControlSite& site) { ControlEmitter(site).Emit(); }

}  // namespace fusebox::codegen
