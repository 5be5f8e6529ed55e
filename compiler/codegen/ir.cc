// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/ir.h"

#include "fusebox/graph/check.h"

namespace fusebox::codegen {

llvm::Function* Ir::Begin(const std::string& name, llvm::Type* result, std::vector<llvm::Type*> parameters,
                          bool external) {
  const auto linkage = external ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage;
  function_ = llvm::Function::Create(llvm::FunctionType::get(result, parameters, false), linkage, name, module_);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
  // The caller's floating-point mode decides whether denormals are kept, so LLVM may fold nothing that depends on it.
  function_->addFnAttr("denormal-fp-math", "dynamic,dynamic");
  if (!external) function_->addFnAttr(llvm::Attribute::NoInline);
  b.SetInsertPoint(llvm::BasicBlock::Create(context(), "entry", function_));
  return function_;
}

llvm::Type* Ir::ElementType(DType dtype) { return dtype == DType::kBool ? b.getInt1Ty() : MemoryType(dtype); }

llvm::Type* Ir::MemoryType(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return b.getFloatTy();
    case DType::kF64:
      return b.getDoubleTy();
    case DType::kI32:
      return b.getInt32Ty();
    case DType::kI64:
      return b.getInt64Ty();
    case DType::kU8:
    case DType::kBool:
      return b.getInt8Ty();
    case DType::kError:
      break;
  }
  Check(false, "the error dtype has no machine type");
  return nullptr;
}

llvm::Type* Ir::Lanes(llvm::Type* element, int64_t lanes) {
  return lanes == 1 ? element : llvm::FixedVectorType::get(element, unsigned(lanes));
}

Value* Ir::Number(llvm::Type* type, double v) { return llvm::ConstantFP::get(type, v); }
Value* Ir::Integer(llvm::Type* type, int64_t v) { return llvm::ConstantInt::getSigned(type, v); }

Value* Ir::LaneIndex(llvm::Type* type) {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type);
  if (vector == nullptr) return llvm::ConstantInt::get(type, 0);
  std::vector<llvm::Constant*> lanes;
  for (unsigned i = 0; i < vector->getNumElements(); ++i)
    lanes.push_back(llvm::ConstantInt::get(vector->getElementType(), i));
  return llvm::ConstantVector::get(lanes);
}

std::pair<Value*, int64_t> Ir::SplitConstant(Value* x) {
  if (auto* number = llvm::dyn_cast<llvm::ConstantInt>(x)) return {I64(0), number->getSExtValue()};
  if (auto* sum = llvm::dyn_cast<llvm::BinaryOperator>(x);
      sum != nullptr && sum->getOpcode() == llvm::Instruction::Add) {
    if (auto* number = llvm::dyn_cast<llvm::ConstantInt>(sum->getOperand(1)))
      return {sum->getOperand(0), number->getSExtValue()};
  }
  return {x, 0};
}

Value* Ir::Add(Value* x, Value* y) {
  const auto is_zero = [](Value* v) {
    return llvm::isa<llvm::ConstantInt>(v) && llvm::cast<llvm::ConstantInt>(v)->isZero();
  };
  const auto [a, p] = SplitConstant(x);
  const auto [c, q] = SplitConstant(y);
  Value* sum = is_zero(a) ? c : is_zero(c) ? a : b.CreateAdd(a, c, "", false, true);
  if (p + q == 0) return sum;
  return is_zero(sum) ? I64(p + q) : b.CreateAdd(sum, I64(p + q), "", false, true);
}

Value* Ir::Mul(Value* x, Value* y) {
  if (llvm::isa<llvm::ConstantInt>(x)) std::swap(x, y);
  auto* factor = llvm::dyn_cast<llvm::ConstantInt>(y);
  if (factor == nullptr) return b.CreateMul(x, y, "", false, true);
  const int64_t by = factor->getSExtValue();
  const auto [a, p] = SplitConstant(x);
  if (by == 0 || llvm::isa<llvm::ConstantInt>(a)) return I64(p * by);
  return Add(by == 1 ? a : b.CreateMul(a, y, "", false, true), I64(p * by));
}

Value* Ir::At(Value* base, DType dtype, Value* index) {
  llvm::Type* type = MemoryType(dtype);
  if (index->getType()->isVectorTy()) return b.CreateInBoundsGEP(type, base, index);
  const auto [rest, constant] = SplitConstant(index);
  if (!llvm::isa<llvm::ConstantInt>(rest)) base = b.CreateInBoundsGEP(type, base, rest);
  return constant == 0 ? base : b.CreateInBoundsGEP(type, base, I64(constant));
}

Value* Ir::ToRegister(Value* v, DType dtype) {
  return dtype == DType::kBool ? b.CreateICmpNE(v, llvm::Constant::getNullValue(v->getType())) : v;
}
Value* Ir::ToMemory(Value* v, DType dtype) {
  if (dtype != DType::kBool) return v;
  return b.CreateZExt(v, v->getType()->getWithNewBitWidth(8));
}

Value* Ir::LoadLanes(Value* base, DType dtype, Value* index, int64_t lanes, Value* mask) {
  llvm::Type* type = Lanes(MemoryType(dtype), lanes);
  const llvm::Align align{uint64_t(SizeOf(dtype))};
  Value* address = At(base, dtype, index);
  Value* raw = mask == nullptr ? static_cast<Value*>(b.CreateAlignedLoad(type, address, align))
                               : b.CreateMaskedLoad(type, address, align, mask, llvm::Constant::getNullValue(type));
  return ToRegister(raw, dtype);
}

void Ir::StoreLanes(Value* v, Value* base, DType dtype, Value* index, Value* mask) {
  const llvm::Align align{uint64_t(SizeOf(dtype))};
  Value* address = At(base, dtype, index);
  Value* raw = ToMemory(v, dtype);
  if (mask == nullptr) {
    b.CreateAlignedStore(raw, address, align);
  } else {
    b.CreateMaskedStore(raw, address, align, mask);
  }
}

void Ir::Prefetch(Value* address) {
  constexpr int kToRead = 0, kNearestCache = 3, kData = 1;
  b.CreateIntrinsic(llvm::Intrinsic::prefetch, {ptr()},
                    {address, b.getInt32(kToRead), b.getInt32(kNearestCache), b.getInt32(kData)});
}

Value* Ir::Gather(Value* base, DType dtype, Value* indices, int64_t lanes, Value* mask) {
  const llvm::Align align{uint64_t(SizeOf(dtype))};
  Value* addresses = At(base, dtype, indices);
  if (lanes == 1) return ToRegister(b.CreateAlignedLoad(MemoryType(dtype), addresses, align), dtype);
  llvm::Type* type = Lanes(MemoryType(dtype), lanes);
  if (mask == nullptr) mask = llvm::Constant::getAllOnesValue(Lanes(b.getInt1Ty(), lanes));
  return ToRegister(b.CreateMaskedGather(type, addresses, align, mask, llvm::Constant::getNullValue(type)), dtype);
}

Values Ir::Loop(Value* begin, Value* end, int64_t step, Values carried, const Body& body) {
  llvm::BasicBlock* before = b.GetInsertBlock();
  auto* header = llvm::BasicBlock::Create(context(), "loop", function_);
  auto* inside = llvm::BasicBlock::Create(context(), "body", function_);
  auto* after = llvm::BasicBlock::Create(context(), "after", function_);
  b.CreateBr(header);
  b.SetInsertPoint(header);
  llvm::PHINode* i = b.CreatePHI(i64(), 2);
  i->addIncoming(begin, before);
  std::vector<llvm::PHINode*> phis;
  for (Value* v : carried) {
    phis.push_back(b.CreatePHI(v->getType(), 2));
    phis.back()->addIncoming(v, before);
  }
  b.CreateCondBr(b.CreateICmpSLT(i, end), inside, after);
  b.SetInsertPoint(inside);
  const Values next = body(i, Values(phis.begin(), phis.end()));
  i->addIncoming(Add(i, I64(step)), b.GetInsertBlock());
  for (size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], b.GetInsertBlock());
  b.CreateBr(header);
  b.SetInsertPoint(after);
  return Values(phis.begin(), phis.end());
}

void Ir::Loop(Value* begin, Value* end, int64_t step, const std::function<void(Value* i)>& body) {
  Loop(begin, end, step, {}, [&](Value* i, Values) {
    body(i);
    return Values{};
  });
}

Values Ir::InnerLoop(Value* begin, Value* end, int64_t step, Values carried, const Body& body) {
  llvm::BasicBlock* before = b.GetInsertBlock();
  auto* inside = llvm::BasicBlock::Create(context(), "inner", function_);
  b.CreateBr(inside);
  b.SetInsertPoint(inside);
  llvm::PHINode* i = b.CreatePHI(i64(), 2);
  i->addIncoming(begin, before);
  std::vector<llvm::PHINode*> phis;
  for (Value* v : carried) {
    phis.push_back(b.CreatePHI(v->getType(), 2));
    phis.back()->addIncoming(v, before);
  }
  const Values next = body(i, Values(phis.begin(), phis.end()));
  Value* i_next = Add(i, I64(step));
  i->addIncoming(i_next, b.GetInsertBlock());
  for (size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], b.GetInsertBlock());
  auto* after = llvm::BasicBlock::Create(context(), "after", function_);
  b.CreateCondBr(b.CreateICmpSLT(i_next, end), inside, after);
  b.SetInsertPoint(after);
  return next;
}

Values Ir::Choose(Value* condition, const std::function<Values()>& then, const std::function<Values()>& otherwise) {
  Values yes, no;
  llvm::BasicBlock *from_yes = nullptr, *from_no = nullptr;
  If(
      condition,
      [&] {
        yes = then();
        from_yes = b.GetInsertBlock();
      },
      [&] {
        no = otherwise();
        from_no = b.GetInsertBlock();
      });
  Values chosen;
  for (size_t i = 0; i < yes.size(); ++i) {
    llvm::PHINode* phi = b.CreatePHI(yes[i]->getType(), 2);
    phi->addIncoming(yes[i], from_yes);
    phi->addIncoming(no[i], from_no);
    chosen.push_back(phi);
  }
  return chosen;
}

void Ir::If(Value* condition, const std::function<void()>& then, const std::function<void()>& otherwise) {
  auto* yes = llvm::BasicBlock::Create(context(), "then", function_);
  auto* no = otherwise ? llvm::BasicBlock::Create(context(), "else", function_) : nullptr;
  auto* after = llvm::BasicBlock::Create(context(), "endif", function_);
  b.CreateCondBr(condition, yes, no != nullptr ? no : after);
  b.SetInsertPoint(yes);
  then();
  b.CreateBr(after);
  if (no != nullptr) {
    b.SetInsertPoint(no);
    otherwise();
    b.CreateBr(after);
  }
  b.SetInsertPoint(after);
}

}  // namespace fusebox::codegen
