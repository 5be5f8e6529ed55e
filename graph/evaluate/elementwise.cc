// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>

#include "fusebox/graph/evaluate/kernels.h"

namespace fusebox::evaluate {
namespace {

// Numbers are computed with as f64 or i64, and rounded or wrapped to their dtype at the end.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

// Integer arithmetic that wraps; in the unsigned type, where overflow has a meaning.
template <class T, class F>
T Wrapping(T a, T b, F f) {
  if constexpr (std::is_integral_v<T>) {
    return T(f(uint64_t(a), uint64_t(b)));
  } else {
    return f(a, b);
  }
}

template <class T>
T Divide(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    return b == -1 ? Wrapping<T>(0, a, [](auto x, auto y) { return x - y; }) : a / b;
  } else {
    return a / b;
  }
}

// llvm.maximum: NaN wins, and -0 < +0.
template <class T>
T Greater(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return std::signbit(a) ? b : a;
  }
  return a > b ? a : b;
}

double Sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);  // NaN comes here, too.
  return e / (1 + e);
}

// By Newton-Halley steps on erf, or near the ends on erfc, where 1 - |x| is exact.
// First guess: Winitzki (2008), A handy approximation for the error function and its inverse.
double ErfInv(double x) {
  const double magnitude = std::abs(x);
  if (!(magnitude <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude == 1) return std::copysign(std::numeric_limits<double>::infinity(), x);
  if (magnitude < 1e-8) return x * (std::sqrt(std::numbers::pi) / 2);
  constexpr double kA = 0.147;
  const double l = std::log1p(-magnitude * magnitude), b = 2 / (std::numbers::pi * kA) + l / 2;
  double y = std::sqrt(std::sqrt(b * b - l / kA) - b);
  for (int step = 0; step < 4; ++step) {
    const double error = magnitude > 0.5 ? (1 - magnitude) - std::erfc(y) : std::erf(y) - magnitude;
    const double u = error / (2 / std::sqrt(std::numbers::pi) * std::exp(-y * y));
    y -= u / (1 + y * u);
  }
  return std::copysign(y, x);
}

template <class F>
Literal Unary(const Call& call, F f) {
  Literal out(call.dtype(), call.shape);
  WithDType(call.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto x = call.in(0).values<T>();
    const auto y = out.mutable_values<T>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = T(f(Wide<T>(x[i])));
  });
  return out;
}
// Of reals only.
template <class F>
Literal Real(const Call& call, F f) {
  return Unary(call, [f](auto x) -> decltype(x) {
    if constexpr (std::is_same_v<decltype(x), double>) return f(x);
    return x;
  });
}

// y[i] = f(a[i], b[i]) of T, rounded to R.
template <class T, class R, class F>
void Loop(const Literal& a, const Literal& b, Literal& out, F f) {
  const auto x = a.values<T>(), z = b.values<T>();
  const auto y = out.mutable_values<R>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = R(f(Wide<T>(x[i]), Wide<T>(z[i])));
}
template <class F>
Literal Binary(const Call& call, F f) {
  const Literal a = Stretched(call.in(0), call.shape), b = Stretched(call.in(1), call.shape);
  Literal out(call.dtype(), call.shape);
  WithDType(a.dtype(), [&](auto t) { Loop<decltype(t), decltype(t)>(a, b, out, f); });
  return out;
}
template <class F>
Literal Comparison(const Call& call, F f) {
  const Literal a = Stretched(call.in(0), call.shape), b = Stretched(call.in(1), call.shape);
  Literal out(call.dtype(), call.shape);
  WithDType(a.dtype(), [&](auto t) { Loop<decltype(t), bool>(a, b, out, f); });
  return out;
}

Literal Select(const Call& call) {
  const Literal condition = Stretched(call.in(0), call.shape);
  const Literal a = Stretched(call.in(1), call.shape), b = Stretched(call.in(2), call.shape);
  Literal out(call.dtype(), call.shape);
  WithDType(call.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto c = condition.values<bool>();
    const auto x = a.values<T>(), z = b.values<T>();
    const auto y = out.mutable_values<T>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = c[i] ? x[i] : z[i];
  });
  return out;
}

template <class From, class To>
Literal Converted(const Call& call) {
  Literal out(call.dtype(), call.shape);
  const auto x = call.in(0).values<From>();
  const auto y = out.mutable_values<To>();
  for (size_t i = 0; i < y.size(); ++i) y[i] = CastTo<To, From>(x[i]);
  return out;
}
template <class From>
Literal ConvertedFrom(const Call& call) {
  return WithDType(call.dtype(), [&](auto to) { return Converted<From, decltype(to)>(call); });
}
Literal Cast(const Call& call) {
  return WithDType(call.in(0).dtype(), [&](auto from) { return ConvertedFrom<decltype(from)>(call); });
}

template <class T>
T Negate(T x) {
  return Wrapping<T>(0, x, [](auto a, auto b) { return a - b; });
}

}  // namespace

LiteralOr Elementwise(const Call& call) {
  switch (call.node.op) {
    case Op::kAdd:
      return Binary(call, [](auto a, auto b) { return Wrapping(a, b, [](auto x, auto y) { return x + y; }); });
    case Op::kSubtract:
      return Binary(call, [](auto a, auto b) { return Wrapping(a, b, [](auto x, auto y) { return x - y; }); });
    case Op::kMultiply:
      return Binary(call, [](auto a, auto b) { return Wrapping(a, b, [](auto x, auto y) { return x * y; }); });
    case Op::kDivide:
      return Binary(call, [](auto a, auto b) { return Divide(a, b); });
    case Op::kMax:
      return Binary(call, [](auto a, auto b) { return Greater(a, b); });
    case Op::kMin:
      return Binary(call, [](auto a, auto b) -> decltype(a) {
        if constexpr (std::is_floating_point_v<decltype(a)>) return -Greater(-a, -b);
        return a < b ? a : b;
      });
    case Op::kEqual:
      return Comparison(call, [](auto a, auto b) { return a == b; });
    case Op::kLess:
      return Comparison(call, [](auto a, auto b) { return a < b; });
    case Op::kLessEqual:
      return Comparison(call, [](auto a, auto b) { return a <= b; });
    case Op::kAnd:
      return Comparison(call, [](auto a, auto b) { return a != 0 && b != 0; });
    case Op::kOr:
      return Comparison(call, [](auto a, auto b) { return a != 0 || b != 0; });
    case Op::kNot:
      return Unary(call, [](auto x) { return x == 0; });
    case Op::kSelect:
      return Select(call);
    case Op::kNegate:
      return Unary(call, [](auto x) -> decltype(x) {
        if constexpr (std::is_floating_point_v<decltype(x)>) return -x;
        return Negate(x);
      });
    case Op::kAbs:
      return Unary(call, [](auto x) -> decltype(x) {
        if constexpr (std::is_floating_point_v<decltype(x)>) return std::abs(x);
        return x < 0 ? Negate(x) : x;
      });
    case Op::kSign:
      return Unary(call, [](auto x) -> decltype(x) {
        if constexpr (std::is_floating_point_v<decltype(x)>) {
          if (std::isnan(x)) return x;
        }
        return decltype(x)((x > 0) - (x < 0));
      });
    case Op::kExp:
      return Real(call, [](double x) { return std::exp(x); });
    case Op::kLog:
      return Real(call, [](double x) { return std::log(x); });
    case Op::kSqrt:
      return Real(call, [](double x) { return std::sqrt(x); });
    case Op::kTanh:
      return Real(call, [](double x) { return std::tanh(x); });
    case Op::kSigmoid:
      return Real(call, Sigmoid);
    case Op::kFloor:
      return Real(call, [](double x) { return std::floor(x); });
    case Op::kErf:
      return Real(call, [](double x) { return std::erf(x); });
    case Op::kErfInv:
      return Real(call, ErfInv);
    case Op::kExpm1:
      return Real(call, [](double x) { return std::expm1(x); });
    case Op::kSoftplus:
      return Real(call, [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
    case Op::kCast:
      return Cast(call);
    case Op::kStopGradient:
    case Op::kCopy:
      return call.in(0);
    default:
      return absl::UnimplementedError("the evaluator lacks this function");
  }
}

}  // namespace fusebox::evaluate
