// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/math.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {
namespace {

bool IsDouble(Value* x) { return x->getType()->getScalarType()->isDoubleTy(); }

// The i32 (or i64) type with the lanes of x.
llvm::Type* Bits(Value* x) { return x->getType()->getWithNewType(llvm::Type::getInt32Ty(x->getContext())); }

Value* CallEachLane(Ir& ir, const char* name, Value* x) {
  llvm::Type* f64 = ir.b.getDoubleTy();
  const llvm::FunctionCallee callee = ir.module().getOrInsertFunction(name, f64, f64);
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(x->getType());
  if (vector == nullptr) return ir.b.CreateCall(callee, {x});
  Value* out = llvm::PoisonValue::get(vector);
  for (unsigned i = 0; i < vector->getNumElements(); ++i) {
    out = ir.b.CreateInsertElement(out, ir.b.CreateCall(callee, {ir.b.CreateExtractElement(x, i)}), i);
  }
  return out;
}

Value* Fma(Ir& ir, Value* x, Value* y, double c) {
  return ir.b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, ir.Number(x->getType(), c)});
}
Value* Fma(Ir& ir, Value* x, Value* y, Value* z) {
  return ir.b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, z});
}
// c[0] x^n + ... + c[n], by Horner's rule.
Value* Polynomial(Ir& ir, Value* x, std::initializer_list<double> coefficients) {
  Value* y = nullptr;
  for (const double c : coefficients) y = y == nullptr ? ir.Number(x->getType(), c) : Fma(ir, y, x, c);
  return y;
}
Value* Abs(Ir& ir, Value* x) { return ir.b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x); }

// 2^n, for n in [-126, 127], from its exponent bits.
Value* PowerOfTwo(Ir& ir, Value* n, llvm::Type* type) {
  Value* biased = ir.b.CreateAdd(n, ir.Integer(n->getType(), 127));
  return ir.b.CreateBitCast(ir.b.CreateShl(biased, ir.Integer(n->getType(), 23)), type);
}

// y 2^n in two factors, so that results from denormals to nearly infinity come out right.
Value* Scale(Ir& ir, Value* y, Value* n) {
  Value* half = ir.b.CreateAShr(n, ir.Integer(n->getType(), 1));
  y = ir.b.CreateFMul(y, PowerOfTwo(ir, half, y->getType()));
  return ir.b.CreateFMul(y, PowerOfTwo(ir, ir.b.CreateSub(n, half), y->getType()));
}

// exp(x) = (head + tail) 2^n, with head in [0.7, 1.42] and tail below half its last place.
struct ExpParts {
  Value *head, *tail, *n;
};
ExpParts SplitExp(Ir& ir, Value* x) {
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  // Beyond these the result is 0 or infinite anyway; the comparisons let NaN through.
  Value* low = ir.Number(type, -104.0);
  Value* high = ir.Number(type, 89.0);
  Value* clamped = b.CreateSelect(b.CreateFCmpOLT(x, low), low, x);
  clamped = b.CreateSelect(b.CreateFCmpOGT(clamped, high), high, clamped);
  // n = round(x / ln 2), read off the low bits of a sum with 1.5 * 2^23; no conversion that NaN could poison.
  constexpr double kShift = 12582912.0;
  Value* shifted = Fma(ir, clamped, ir.Number(type, std::numbers::log2e), kShift);
  Value* n_float = b.CreateFSub(shifted, ir.Number(type, kShift));
  llvm::Type* bits = Bits(x);
  Value* n = b.CreateSub(b.CreateBitCast(shifted, bits), ir.Integer(bits, 0x4B400000));
  // r = x - n ln 2 in [-0.35, 0.35], with ln 2 in two parts. The first step is exact; the second one rounds, by `lost`.
  Value* low_part = ir.Number(type, 2.12194440e-4);
  Value* most = Fma(ir, n_float, ir.Number(type, -0.693359375), clamped);
  Value* r = Fma(ir, n_float, low_part, most);
  Value* lost = Fma(ir, n_float, low_part, b.CreateFSub(most, r));
  Value* p = Polynomial(
      ir, r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1});
  Value* one = ir.Number(type, 1);
  Value* above_one = b.CreateFAdd(r, Fma(ir, b.CreateFMul(r, r), p, lost));
  Value* head = b.CreateFAdd(above_one, one);
  return {head, b.CreateFSub(above_one, b.CreateFSub(head, one)), n};
}

// log(m 2^e) of m - 1 for m in [sqrt(1/2), sqrt(2)); `rest` is added to m, and may be no larger than its last place.
Value* LogOfParts(Ir& ir, Value* m_minus_one, Value* e, Value* rest = nullptr) {
  auto& b = ir.b;
  llvm::Type* type = e->getType();
  Value* z = b.CreateFMul(m_minus_one, m_minus_one);
  Value* p = Polynomial(ir, m_minus_one,
                        {7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
                         -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1});
  Value* y = b.CreateFMul(b.CreateFMul(p, m_minus_one), z);
  if (rest != nullptr) y = b.CreateFAdd(y, rest);
  y = Fma(ir, e, ir.Number(type, -2.12194440e-4), y);
  y = Fma(ir, z, ir.Number(type, -0.5), y);
  return Fma(ir, e, ir.Number(type, 0.693359375), b.CreateFAdd(m_minus_one, y));
}

}  // namespace

Value* Exp(Ir& ir, Value* x) {
  if (IsDouble(x)) return CallEachLane(ir, "exp", x);
  const ExpParts e = SplitExp(ir, x);
  return ir.b.CreateSelect(ir.b.CreateFCmpUNO(x, x), x, Scale(ir, e.head, e.n));
}

Value* Log(Ir& ir, Value* x) {
  if (IsDouble(x)) return CallEachLane(ir, "log", x);
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  llvm::Type* bits = Bits(x);
  Value* tiny = b.CreateFCmpOLT(x, ir.Number(type, std::numeric_limits<float>::min()));
  Value* normal = b.CreateSelect(tiny, b.CreateFMul(x, ir.Number(type, 8388608.0)), x);
  Value* raw = b.CreateBitCast(normal, bits);
  Value* e = b.CreateSub(b.CreateLShr(raw, ir.Integer(bits, 23)), ir.Integer(bits, 126));
  e = b.CreateSub(e, b.CreateSelect(tiny, ir.Integer(bits, 23), ir.Integer(bits, 0)));
  // x = m 2^e with m in [1/2, 1), moved to [sqrt(1/2), sqrt(2)).
  Value* m =
      b.CreateBitCast(b.CreateOr(b.CreateAnd(raw, ir.Integer(bits, 0x7fffff)), ir.Integer(bits, 0x3f000000)), type);
  Value* below = b.CreateFCmpOLT(m, ir.Number(type, 0.707106781186547524));
  Value* ef = b.CreateSIToFP(e, type);
  ef = b.CreateSelect(below, b.CreateFSub(ef, ir.Number(type, 1)), ef);
  m = b.CreateSelect(below, b.CreateFAdd(m, m), m);
  m = b.CreateFSub(m, ir.Number(type, 1));
  Value* y = LogOfParts(ir, m, ef);
  const double infinity = std::numeric_limits<double>::infinity();
  Value* zero = ir.Number(type, 0);
  y = b.CreateSelect(b.CreateFCmpOEQ(x, ir.Number(type, infinity)), x, y);
  y = b.CreateSelect(b.CreateFCmpOEQ(x, zero), ir.Number(type, -infinity), y);
  return b.CreateSelect(b.CreateFCmpULT(x, zero), ir.Number(type, std::nan("")), y);
}

Value* Tanh(Ir& ir, Value* x) {
  if (IsDouble(x)) return CallEachLane(ir, "tanh", x);
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  Value* a = Abs(ir, x);
  // Near 0: x + x^3 P(x^2). Elsewhere 1 - 2 / (exp(2|x|) + 1), with the sign of x.
  Value* z = b.CreateFMul(x, x);
  Value* p =
      Polynomial(ir, z, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  Value* near_zero = Fma(ir, b.CreateFMul(p, z), x, x);
  Value* e = Exp(ir, b.CreateFAdd(a, a));
  Value* one = ir.Number(type, 1);
  Value* far = b.CreateFSub(one, b.CreateFDiv(ir.Number(type, 2), b.CreateFAdd(e, one)));
  far = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, far, x);
  return b.CreateSelect(b.CreateFCmpOGE(a, ir.Number(type, 0.625)), far, near_zero);
}

Value* Sigmoid(Ir& ir, Value* x) {
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  Value* one = ir.Number(type, 1);
  Value* zero = ir.Number(type, 0);
  Value* negative = b.CreateFCmpOLT(x, zero);
  // exp of a number <= 0 cannot overflow; for x < 0 the result is e / (1 + e).
  Value* minus_abs = b.CreateFNeg(Abs(ir, x));
  if (IsDouble(x)) {
    Value* e = Exp(ir, minus_abs);
    return b.CreateFDiv(b.CreateSelect(negative, e, one), b.CreateFAdd(one, e));
  }
  const ExpParts e = SplitExp(ir, minus_abs);
  llvm::Type* bits = e.n->getType();
  Value* power = PowerOfTwo(ir, b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, e.n, ir.Integer(bits, -126)), type);
  // 1 + e = sum + rest. The sum's rounding and the tail would cost an ulp each.
  Value* scaled = b.CreateFMul(e.head, power);
  Value* sum = b.CreateFAdd(scaled, one);
  Value* rest = Fma(ir, e.tail, power, b.CreateFSub(scaled, b.CreateFSub(sum, one)));
  Value* numerator = b.CreateSelect(negative, e.head, one);
  Value* tail = b.CreateSelect(negative, e.tail, zero);
  // One step of Newton's, y += (numerator + tail - y (sum + rest)) / sum; for sums in [1, 2] a line does for 1 / sum.
  Value* y = b.CreateFDiv(numerator, sum);
  Value* minus_y = b.CreateFNeg(y);
  Value* residual = b.CreateFAdd(Fma(ir, minus_y, sum, numerator), Fma(ir, minus_y, rest, tail));
  y = Fma(ir, residual, Fma(ir, sum, ir.Number(type, -0.5), 1.457), y);
  y = Scale(ir, y, b.CreateSelect(negative, e.n, ir.Integer(bits, 0)));
  return b.CreateSelect(b.CreateFCmpUNO(x, x), x, y);
}

Value* Expm1(Ir& ir, Value* x) {
  if (IsDouble(x)) return CallEachLane(ir, "expm1", x);
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  const ExpParts e = SplitExp(ir, x);
  // Half of the result, (head + tail) 2^(n-1) - 1/2: the first difference is exact where it counts, and 2^(n-1) is
  // finite.
  llvm::Type* bits = e.n->getType();
  Value* n =
      b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b.CreateSub(e.n, ir.Integer(bits, 1)), ir.Integer(bits, -126));
  Value* power = PowerOfTwo(ir, n, type);
  Value* half = Fma(ir, e.head, power, -0.5);
  half = Fma(ir, e.tail, power, half);
  // So near to 0 that x is the result, denormals and -0 included. NaN is, too.
  Value* itself = b.CreateFCmpULT(Abs(ir, x), ir.Number(type, 0x1p-25));
  return b.CreateSelect(itself, x, b.CreateFAdd(half, half));
}

Value* Softplus(Ir& ir, Value* x) {
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  Value* zero = ir.Number(type, 0);
  Value* one = ir.Number(type, 1);
  Value* positive = b.CreateSelect(b.CreateFCmpOGT(x, zero), x, zero);
  // max(x, 0) + log(1 + exp(-|x|)): exp of a number <= 0 cannot overflow.
  Value* minus_abs = b.CreateFNeg(Abs(ir, x));
  if (IsDouble(x)) {
    return b.CreateFAdd(positive, CallEachLane(ir, "log1p", CallEachLane(ir, "exp", minus_abs)));
  }
  const ExpParts e = SplitExp(ir, minus_abs);
  llvm::Type* bits = e.n->getType();
  Value* power = PowerOfTwo(ir, b.CreateBinaryIntrinsic(llvm::Intrinsic::smax, e.n, ir.Integer(bits, -126)), type);
  // 1 + exp(-|x|) = sum + rest, and log(sum + rest) = log(sum) + rest / sum.
  Value* scaled = b.CreateFMul(e.head, power);
  Value* sum = b.CreateFAdd(scaled, one);
  Value* rest = Fma(ir, e.tail, power, b.CreateFSub(scaled, b.CreateFSub(sum, one)));
  Value* above = b.CreateFCmpOGT(sum, ir.Number(type, std::numbers::sqrt2));
  Value* m = b.CreateFSub(b.CreateSelect(above, b.CreateFMul(sum, ir.Number(type, 0.5)), sum), one);
  Value* log = LogOfParts(ir, m, b.CreateSelect(above, one, zero), b.CreateFDiv(rest, sum));
  // Far below 0 it is exp(x), denormals included.
  Value* y =
      b.CreateSelect(b.CreateFCmpOLT(x, ir.Number(type, -18)), Scale(ir, e.head, e.n), b.CreateFAdd(positive, log));
  return b.CreateSelect(b.CreateFCmpUNO(x, x), x, y);
}

Value* Erf(Ir& ir, Value* x) {
  if (IsDouble(x)) return CallEachLane(ir, "erf", x);
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  Value* a = Abs(ir, x);
  // Near 0: x + x P(x^2). Elsewhere 1 - exp(-Q(|x|)) with the sign of x, where Q = -log(erfc). P and Q are minimax
  // fits, that of Q weighted by erfc, which is how much of its error is seen.
  Value* p = Polynomial(ir, b.CreateFMul(x, x),
                        {8.215426849e-5, -8.105965989e-4, 5.197797258e-3, -2.685810433e-2, 1.128367255e-1,
                         -3.761263229e-1, 1.283791665e-1});
  Value* near_zero = Fma(ir, p, x, x);
  Value* four = ir.Number(type, 4);  // From here on the result is 1.
  Value* minus_q = Polynomial(ir, b.CreateSelect(b.CreateFCmpOGT(a, four), four, a),
                              {1.916143156e-4, -3.000641279e-3, 2.205647045e-2, -1.035763643e-1, -6.375890086e-1,
                               -1.127432788, -2.547846282e-4});
  Value* far = b.CreateFSub(ir.Number(type, 1), Exp(ir, minus_q));
  far = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, far, x);
  return b.CreateSelect(b.CreateFCmpOGE(a, ir.Number(type, 0.95)), far, near_zero);
}

Value* ErfInv(Ir& ir, Value* x) {
  auto& b = ir.b;
  llvm::Type* type = x->getType();
  Value* one = ir.Number(type, 1);
  // w = -log((1 - x)(1 + x)); one polynomial below 5, another of sqrt(w) above.
  Value* w = b.CreateFNeg(Log(ir, b.CreateFMul(b.CreateFSub(one, x), b.CreateFAdd(one, x))));
  Value* central = Polynomial(ir, b.CreateFSub(w, ir.Number(type, 2.5)),
                              {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                               -0.00125372503, -0.00417768164, 0.246640727, 1.50140941});
  Value* root = b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, w);
  Value* tail = Polynomial(ir, b.CreateFSub(root, ir.Number(type, 3)),
                           {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                            -0.0076224613, 0.00943887047, 1.00167406, 2.83297682});
  Value* y = b.CreateFMul(b.CreateSelect(b.CreateFCmpOLT(w, ir.Number(type, 5)), central, tail), x);
  if (IsDouble(x)) {
    // Newton on |x|: y -= (erf(y) - |x|) / (2 / sqrt(pi) exp(-y^2)); above 1/2 by erfc, which keeps the digits that erf
    // loses near 1.
    Value* a = Abs(ir, x);
    Value* high = b.CreateFCmpOGT(a, ir.Number(type, 0.5));
    y = Abs(ir, y);
    for (int i = 0; i < 2; ++i) {
      Value* slope = b.CreateFMul(CallEachLane(ir, "exp", b.CreateFNeg(b.CreateFMul(y, y))),
                                  ir.Number(type, 2 * std::numbers::inv_sqrtpi));
      Value* low_residual = b.CreateFSub(CallEachLane(ir, "erf", y), a);
      Value* high_residual = b.CreateFSub(b.CreateFSub(one, a), CallEachLane(ir, "erfc", y));
      y = b.CreateFSub(y, b.CreateFDiv(b.CreateSelect(high, high_residual, low_residual), slope));
    }
    y = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, y, x);
  }
  Value* edge = b.CreateFMul(x, ir.Number(type, std::numeric_limits<double>::infinity()));
  return b.CreateSelect(b.CreateFCmpOEQ(Abs(ir, x), one), edge, y);
}

}  // namespace fusebox::codegen
