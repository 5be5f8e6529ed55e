// SPDX-License-Identifier: Apache-2.0
// Operations of keras.ops on each element by itself. Operands broadcast, and of two dtypes the wider one counts.
#include <cmath>

#include "fusebox/plugins/layers/float_input.h"
#include "fusebox/plugins/layers/operation.h"

namespace fusebox {
namespace {

struct Operands {
  At a, b;
};

uint32_t Wider(uint32_t a, uint32_t b) {
  if (IsFloat(a) || IsFloat(b)) return a == FB_F64 || b == FB_F64 ? FB_F64 : FB_F32;
  if (a == FB_BOOL) return b;
  if (b == FB_BOOL) return a;
  return a == FB_I64 || b == FB_I64 ? FB_I64 : FB_I32;
}

// The operands in one dtype. A number takes that of the other operand, which becomes a float if the number is none of
// its kind.
Operands Promoted(At a, At b) {
  if (a.is_number && b.is_number) return {a, b};
  if (a.is_number || b.is_number) {
    At& value = a.is_number ? b : a;
    const double number = a.is_number ? a.number : b.number;
    const uint32_t dtype = value.value.dtype();
    if (value.value.ok() && dtype == FB_BOOL) value = Cast(value, FB_I32);
    if (value.value.ok() && !IsFloat(dtype) && number != std::floor(number)) value = Cast(value, FB_F32);
    return {a, b};
  }
  if (!a.value.ok() || !b.value.ok() || a.value.dtype() == b.value.dtype()) return {a, b};
  const uint32_t wider = Wider(a.value.dtype(), b.value.dtype());
  return {a.value.dtype() == wider ? a : At(Cast(a, wider)), b.value.dtype() == wider ? b : At(Cast(b, wider))};
}

template <Value (*f)(At a, At b)>
Value Binary(const OperationCall& call) {
  const Operands operands = Promoted(call.Operand(0, "x1"), call.Operand(1, "x2"));
  if (operands.a.is_number && operands.b.is_number) return call.Error("expects a value among its operands");
  return f(operands.a, operands.b);
}

template <Value (*f)(Value x)>
Value Unary(const OperationCall& call) {
  return f(AsFloat(call.Operand1()));
}

template <Value (*f)(Value x)>
Value UnaryOfAny(const OperationCall& call) {
  return f(call.Operand1());
}

Value Divided(At a, At b) {
  if (!a.is_number) a = AsFloat(a.value);
  if (!b.is_number) b = AsFloat(b.value);
  const Operands operands = Promoted(a, b);
  return operands.a / operands.b;
}

// x^n for a whole number n > 0, by squares.
Value WholePower(Value x, int64_t n) {
  Value power = x;
  Value square = x;
  bool first = true;
  for (; n > 0; n >>= 1) {
    if (n & 1) power = std::exchange(first, false) ? square : power * square;
    if (n > 1) square = square * square;
  }
  return power;
}

Value Power(const OperationCall& call) {
  At base = call.Operand(0, "x1"), exponent = call.Operand(1, "x2");
  constexpr double kMaxWhole = 64;
  if (exponent.is_number && !base.is_number) {
    const double n = exponent.number;
    if (n == 0.5) return Sqrt(AsFloat(base.value));
    if (n == std::floor(n) && n >= 1 && n <= kMaxWhole) return WholePower(base.value, int64_t(n));
    if (n == std::floor(n) && n < 0 && n >= -kMaxWhole) return 1 / WholePower(AsFloat(base.value), int64_t(-n));
    return Exp(n * Log(AsFloat(base.value)));
  }
  if (base.is_number && exponent.is_number) return call.Error("expects a value among its operands");
  if (base.is_number) return Exp(AsFloat(exponent.value) * std::log(base.number));
  const Operands operands = Promoted(AsFloat(base.value), AsFloat(exponent.value));
  return Exp(operands.b.value * Log(operands.a));
}

Value Where(const OperationCall& call) {
  Value condition = call.Operand1(0, "condition");
  if (condition.ok() && condition.dtype() != FB_BOOL) condition = Cast(condition, FB_BOOL);
  const Operands operands = Promoted(call.Operand(1, "x1"), call.Operand(2, "x2"));
  if (operands.a.is_number && operands.b.is_number) {
    return Select(condition, call.scope().Constant(operands.a.number), call.scope().Constant(operands.b.number));
  }
  return Select(condition, operands.a, operands.b);
}

Value Clip(const OperationCall& call) {
  const Value x = call.Operand1();
  const double low = call.Number("x_min", -INFINITY), high = call.Number("x_max", INFINITY);
  const Value raised = std::isfinite(low) ? Max(x, low) : x;
  return std::isfinite(high) ? Min(raised, high) : raised;
}

Value CastTo(const OperationCall& call) {
  const nlohmann::json& name = call.Setting("dtype");
  const std::string dtype = name.is_string() ? name.get<std::string>() : "";
  for (const auto& [known, code] : {std::pair("float32", FB_F32),
                                    {"float64", FB_F64},
                                    {"int32", FB_I32},
                                    {"int64", FB_I64},
                                    {"uint8", FB_U8},
                                    {"bool", FB_BOOL}}) {
    if (dtype == known) return Cast(call.Operand1(), uint32_t(code));
  }
  return call.Error("expects dtype float32, float64, int32, int64, uint8 or bool, got {}", name.dump(-1));
}

Value Filled(const OperationCall& call, double number) {
  const Value x = call.Operand1();
  return x.ok() ? Broadcast(call.scope().Constant(number, x.dtype()), x.dims()) : x;
}

// Half to even, as NumPy's: floor(x + 0.5), one less where x lies in the middle and that is odd.
Value RoundToEven(Value x) {
  const Value up = Floor(x + 0.5);
  const Value tie = Equal(up - x, 0.5), odd = Equal(up - 2 * Floor(up / 2), 1);
  return Select(And(tie, odd), up - 1, up);
}

constexpr OperationEntry kEntries[] = {
    {"add", Binary<[](At a, At b) { return a + b; }>},
    {"subtract", Binary<[](At a, At b) { return a - b; }>},
    {"multiply", Binary<[](At a, At b) { return a * b; }>},
    {"divide", Binary<Divided>},
    {"true_divide", Binary<Divided>},
    {"floor_divide", Binary<[](At a, At b) { return Floor(AsFloat(Divided(a, b))); }>},
    {"maximum", Binary<[](At a, At b) { return Max(a, b); }>},
    {"minimum", Binary<[](At a, At b) { return Min(a, b); }>},
    {"equal", Binary<[](At a, At b) { return Equal(a, b); }>},
    {"not_equal", Binary<[](At a, At b) { return Not(Equal(a, b)); }>},
    {"less", Binary<[](At a, At b) { return Less(a, b); }>},
    {"less_equal", Binary<[](At a, At b) { return LessEqual(a, b); }>},
    {"greater", Binary<[](At a, At b) { return Less(b, a); }>},
    {"greater_equal", Binary<[](At a, At b) { return LessEqual(b, a); }>},
    {"logical_and", Binary<[](At a, At b) { return And(a, b); }>},
    {"logical_or", Binary<[](At a, At b) { return Or(a, b); }>},
    {"logical_not", UnaryOfAny<[](Value x) { return Not(x); }>},
    {"power", Power},
    {"where", Where},
    {"clip", Clip},
    {"cast", CastTo},
    {"zeros_like", [](const OperationCall& call) { return Filled(call, 0); }},
    {"ones_like", [](const OperationCall& call) { return Filled(call, 1); }},
    {"negative", UnaryOfAny<[](Value x) { return -x; }>},
    {"absolute", UnaryOfAny<[](Value x) { return Abs(x); }>},
    {"abs", UnaryOfAny<[](Value x) { return Abs(x); }>},
    {"sign", UnaryOfAny<[](Value x) { return Sign(x); }>},
    {"square", UnaryOfAny<[](Value x) { return Square(x); }>},
    {"stop_gradient", UnaryOfAny<[](Value x) { return StopGradient(x); }>},
    {"identity", UnaryOfAny<[](Value x) { return x; }>},
    {"reciprocal", Unary<[](Value x) { return 1 / x; }>},
    {"sqrt", Unary<[](Value x) { return Sqrt(x); }>},
    {"rsqrt", Unary<[](Value x) { return 1 / Sqrt(x); }>},
    {"exp", Unary<[](Value x) { return Exp(x); }>},
    {"exp2", Unary<[](Value x) { return Exp(x * M_LN2); }>},
    {"expm1", Unary<[](Value x) { return Expm1(x); }>},
    {"log", Unary<[](Value x) { return Log(x); }>},
    {"log1p", Unary<[](Value x) { return Log(1 + x); }>},
    {"log2", Unary<[](Value x) { return Log(x) / M_LN2; }>},
    {"log10", Unary<[](Value x) { return Log(x) / M_LN10; }>},
    {"floor", Unary<[](Value x) { return Floor(x); }>},
    {"ceil", Unary<[](Value x) { return -Floor(-x); }>},
    {"round", Unary<RoundToEven>},
    {"tanh", Unary<[](Value x) { return Tanh(x); }>},
    {"sinh", Unary<[](Value x) { return (Exp(x) - Exp(-x)) / 2; }>},
    {"cosh", Unary<[](Value x) { return (Exp(x) + Exp(-x)) / 2; }>},
    {"erf", Unary<[](Value x) { return Erf(x); }>},
    {"erfinv", Unary<[](Value x) { return ErfInv(x); }>},
};

}  // namespace

std::span<const OperationEntry> ElementwiseOperations() { return kEntries; }

}  // namespace fusebox
