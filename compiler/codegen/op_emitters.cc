// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/op_emitters.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/compiler/codegen/math.h"
#include "fusebox/graph/check.h"

namespace fusebox::codegen {
namespace {

Value* Minimum(Ir& ir, DType dtype, Value* a, Value* b) {
  if (IsFloat(dtype)) return ir.b.CreateBinaryIntrinsic(llvm::Intrinsic::minimum, a, b);
  return ir.b.CreateBinaryIntrinsic(dtype == DType::kU8 ? llvm::Intrinsic::umin : llvm::Intrinsic::smin, a, b);
}

// Gives x / 0 and the least integer / -1 the op's meaning; the machine's division would trap.
Value* DivideIntegers(Ir& ir, DType dtype, Value* a, Value* b) {
  llvm::Type* type = a->getType();
  Value* zero = ir.Integer(type, 0);
  Value* one = ir.Integer(type, 1);
  Value* by_zero = ir.b.CreateICmpEQ(b, zero);
  if (dtype == DType::kU8) {
    return ir.b.CreateSelect(by_zero, zero, ir.b.CreateUDiv(a, ir.b.CreateSelect(by_zero, one, b)));
  }
  Value* by_minus_one = ir.b.CreateICmpEQ(b, ir.Integer(type, -1));
  Value* safe = ir.b.CreateSelect(ir.b.CreateOr(by_zero, by_minus_one), one, b);
  Value* quotient = ir.b.CreateSelect(by_minus_one, ir.b.CreateNeg(a), ir.b.CreateSDiv(a, safe));
  return ir.b.CreateSelect(by_zero, zero, quotient);
}

Value* Compare(const OpContext& c, llvm::CmpInst::Predicate real, llvm::CmpInst::Predicate integer,
               llvm::CmpInst::Predicate unsigned_integer) {
  if (IsFloat(c.in)) return c.ir.b.CreateFCmp(real, c.x[0], c.x[1]);
  const bool is_unsigned = c.in == DType::kU8 || c.in == DType::kBool;
  return c.ir.b.CreateICmp(is_unsigned ? unsigned_integer : integer, c.x[0], c.x[1]);
}

Value* SignOf(const OpContext& c) {
  auto& b = c.ir.b;
  Value* x = c.x[0];
  llvm::Type* type = x->getType();
  if (IsFloat(c.in)) {
    Value* zero = c.ir.Number(type, 0);
    Value* sign = b.CreateSelect(b.CreateFCmpOGT(x, zero), c.ir.Number(type, 1), c.ir.Number(type, -1));
    sign = b.CreateSelect(b.CreateFCmpOEQ(x, zero), zero, sign);
    return b.CreateSelect(b.CreateFCmpUNO(x, x), x, sign);
  }
  Value* zero = c.ir.Integer(type, 0);
  Value* positive = b.CreateZExt(c.in == DType::kU8 ? b.CreateICmpNE(x, zero) : b.CreateICmpSGT(x, zero), type);
  if (c.in == DType::kU8) return positive;
  return b.CreateSub(positive, b.CreateZExt(b.CreateICmpSLT(x, zero), type));
}

Value* Convert(const OpContext& c) {
  auto& b = c.ir.b;
  Value* x = c.x[0];
  if (c.in == c.out) return x;
  llvm::Type* to = x->getType()->getWithNewType(c.ir.ElementType(c.out));
  const bool from_unsigned = c.in == DType::kU8 || c.in == DType::kBool;
  if (c.out == DType::kBool) {
    return IsFloat(c.in) ? b.CreateFCmpUNE(x, c.ir.Number(x->getType(), 0))
                         : b.CreateICmpNE(x, c.ir.Integer(x->getType(), 0));
  }
  if (IsFloat(c.in) && IsFloat(c.out)) return b.CreateFPCast(x, to);
  if (IsFloat(c.in)) {
    const auto id = c.out == DType::kU8 ? llvm::Intrinsic::fptoui_sat : llvm::Intrinsic::fptosi_sat;
    return b.CreateIntrinsic(id, {to, x->getType()}, {x});
  }
  if (IsFloat(c.out)) return from_unsigned ? b.CreateUIToFP(x, to) : b.CreateSIToFP(x, to);
  return from_unsigned ? b.CreateZExtOrTrunc(x, to) : b.CreateSExtOrTrunc(x, to);
}

Value* MaximumIdentity(Ir& ir, DType dtype, llvm::Type* type) {
  switch (dtype) {
    case DType::kF32:
    case DType::kF64:
      return ir.Number(type, -std::numeric_limits<double>::infinity());
    case DType::kI32:
      return ir.Integer(type, std::numeric_limits<int32_t>::min());
    case DType::kI64:
      return ir.Integer(type, std::numeric_limits<int64_t>::min());
    default:
      return ir.Integer(type, 0);
  }
}

using P = llvm::CmpInst::Predicate;

struct Entry {
  const char* op;
  OpEmitter emit;
};
constexpr Entry kEmitters[] = {
    {"add", [](const OpContext& c) { return Sum(c.ir, c.in, c.x[0], c.x[1]); }},
    {"subtract",
     [](const OpContext& c) {
       return IsFloat(c.in) ? c.ir.b.CreateFSub(c.x[0], c.x[1]) : c.ir.b.CreateSub(c.x[0], c.x[1]);
     }},
    {"multiply",
     [](const OpContext& c) {
       return IsFloat(c.in) ? c.ir.b.CreateFMul(c.x[0], c.x[1]) : c.ir.b.CreateMul(c.x[0], c.x[1]);
     }},
    {"divide",
     [](const OpContext& c) {
       return IsFloat(c.in) ? c.ir.b.CreateFDiv(c.x[0], c.x[1]) : DivideIntegers(c.ir, c.in, c.x[0], c.x[1]);
     }},
    {"max", [](const OpContext& c) { return Maximum(c.ir, c.in, c.x[0], c.x[1]); }},
    {"min", [](const OpContext& c) { return Minimum(c.ir, c.in, c.x[0], c.x[1]); }},
    {"equal", [](const OpContext& c) { return Compare(c, P::FCMP_OEQ, P::ICMP_EQ, P::ICMP_EQ); }},
    {"less", [](const OpContext& c) { return Compare(c, P::FCMP_OLT, P::ICMP_SLT, P::ICMP_ULT); }},
    {"less_equal", [](const OpContext& c) { return Compare(c, P::FCMP_OLE, P::ICMP_SLE, P::ICMP_ULE); }},
    {"and", [](const OpContext& c) { return c.ir.b.CreateAnd(c.x[0], c.x[1]); }},
    {"or", [](const OpContext& c) { return c.ir.b.CreateOr(c.x[0], c.x[1]); }},
    {"not", [](const OpContext& c) { return c.ir.b.CreateNot(c.x[0]); }},
    {"select", [](const OpContext& c) { return c.ir.b.CreateSelect(c.x[0], c.x[1], c.x[2]); }},
    {"negate", [](const OpContext& c) { return IsFloat(c.in) ? c.ir.b.CreateFNeg(c.x[0]) : c.ir.b.CreateNeg(c.x[0]); }},
    {"abs",
     [](const OpContext& c) -> Value* {
       if (IsFloat(c.in)) return c.ir.b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, c.x[0]);
       if (c.in == DType::kU8) return c.x[0];
       return c.ir.b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, c.x[0], c.ir.b.getFalse());
     }},
    {"sign", SignOf},
    {"exp", [](const OpContext& c) { return Exp(c.ir, c.x[0]); }},
    {"log", [](const OpContext& c) { return Log(c.ir, c.x[0]); }},
    {"sqrt", [](const OpContext& c) -> Value* { return c.ir.b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, c.x[0]); }},
    {"tanh", [](const OpContext& c) { return Tanh(c.ir, c.x[0]); }},
    {"sigmoid", [](const OpContext& c) { return Sigmoid(c.ir, c.x[0]); }},
    {"floor", [](const OpContext& c) -> Value* { return c.ir.b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, c.x[0]); }},
    {"erf", [](const OpContext& c) { return Erf(c.ir, c.x[0]); }},
    {"erfinv", [](const OpContext& c) { return ErfInv(c.ir, c.x[0]); }},
    {"expm1", [](const OpContext& c) { return Expm1(c.ir, c.x[0]); }},
    {"softplus", [](const OpContext& c) { return Softplus(c.ir, c.x[0]); }},
    {"cast", Convert},
    {"stop_gradient", [](const OpContext& c) { return c.x[0]; }},
    {"copy", [](const OpContext& c) { return c.x[0]; }},
    // The operand is already repeated when it gets here.
    {"broadcast", [](const OpContext& c) { return c.x[0]; }},
};

constexpr std::pair<const char*, Folding> kFoldings[] = {
    {"sum", {[](Ir&, DType, llvm::Type* type) -> Value* { return llvm::Constant::getNullValue(type); }, Sum}},
    {"reduce_max", {MaximumIdentity, Maximum}},
    {"argmax", {MaximumIdentity, nullptr}},
};

}  // namespace

OpEmitter EmitterOf(Op op) {
  static const auto* const kTable = [] {
    auto* table = new std::vector<OpEmitter>(AllOps().size() + 1);
    for (const Entry& entry : kEmitters) {
      const std::optional<Op> named = OpFromName(entry.op);
      Check(named.has_value(), "an emitter of what is no op");
      (*table)[size_t(*named)] = entry.emit;
    }
    return table;
  }();
  return (*kTable)[size_t(op)];
}

const Folding& FoldingOf(Op reduction) {
  const std::string_view name = Info(reduction).name;
  const auto folding =
      std::ranges::find(kFoldings, name, [](const auto& entry) { return std::string_view(entry.first); });
  Check(folding != std::end(kFoldings), "a reduction without its folding");
  return folding->second;
}

Value* Maximum(Ir& ir, DType dtype, Value* a, Value* b) {
  if (IsFloat(dtype)) return ir.b.CreateBinaryIntrinsic(llvm::Intrinsic::maximum, a, b);
  return ir.b.CreateBinaryIntrinsic(dtype == DType::kU8 ? llvm::Intrinsic::umax : llvm::Intrinsic::smax, a, b);
}

Value* Sum(Ir& ir, DType dtype, Value* a, Value* b) {
  return IsFloat(dtype) ? ir.b.CreateFAdd(a, b) : ir.b.CreateAdd(a, b);
}

Value* Beats(Ir& ir, DType dtype, Value* x, Value* y) {
  auto& b = ir.b;
  if (!IsFloat(dtype)) {
    const bool is_unsigned = dtype == DType::kU8 || dtype == DType::kBool;
    return is_unsigned ? b.CreateICmpUGT(x, y) : b.CreateICmpSGT(x, y);
  }
  Value* nan_wins = b.CreateAnd(b.CreateFCmpUNO(x, x), b.CreateFCmpORD(y, y));
  return b.CreateOr(b.CreateFCmpOGT(x, y), nan_wins);
}

Value* RandomUniform(Ir& ir, DType dtype, Value* seed, Value* step, Value* stream, Value* index) {
  auto& b = ir.b;
  llvm::Type* wide = index->getType();
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(wide);
  const int64_t lanes = vector != nullptr ? vector->getNumElements() : 1;
  llvm::Type* word = Ir::Lanes(b.getInt32Ty(), lanes);
  const auto low = [&](Value* v) { return b.CreateTrunc(v, word); };
  const auto high = [&](Value* v) { return b.CreateTrunc(b.CreateLShr(v, ir.Integer(v->getType(), 32)), word); };
  const auto wide_seed = ir.Splat(seed, lanes);
  Value* counter[4] = {low(index), high(index), low(ir.Splat(step, lanes)), low(ir.Splat(stream, lanes))};
  Value* key[2] = {low(wide_seed), high(wide_seed)};
  for (int round = 0; round < 10; ++round) {
    Value* p0 = b.CreateMul(b.CreateZExt(counter[0], wide), ir.Integer(wide, 0xD2511F53));
    Value* p1 = b.CreateMul(b.CreateZExt(counter[2], wide), ir.Integer(wide, 0xCD9E8D57));
    Value* next[4] = {b.CreateXor(b.CreateXor(high(p1), counter[1]), key[0]), low(p1),
                      b.CreateXor(b.CreateXor(high(p0), counter[3]), key[1]), low(p0)};
    std::copy(next, next + 4, counter);
    key[0] = b.CreateAdd(key[0], ir.Integer(word, int32_t(0x9E3779B9)));
    key[1] = b.CreateAdd(key[1], ir.Integer(word, int32_t(0xBB67AE85)));
  }
  llvm::Type* real = Ir::Lanes(ir.ElementType(dtype), lanes);
  if (dtype == DType::kF32) {
    Value* bits = b.CreateLShr(counter[0], ir.Integer(word, 8));
    return b.CreateFMul(b.CreateUIToFP(bits, real), ir.Number(real, 0x1p-24));
  }
  Value* upper = b.CreateZExt(b.CreateLShr(counter[0], ir.Integer(word, 5)), wide);
  Value* lower = b.CreateZExt(b.CreateLShr(counter[1], ir.Integer(word, 6)), wide);
  Value* bits = b.CreateAdd(b.CreateShl(upper, ir.Integer(wide, 26)), lower);
  return b.CreateFMul(b.CreateUIToFP(bits, real), ir.Number(real, 0x1p-53));
}

}  // namespace fusebox::codegen
