// SPDX-License-Identifier: Apache-2.0
// What the tables of elementwise ops share: shape rules, pieces of gradients, and evaluation element by element.
// Operands broadcast as in NumPy; element i of the output needs element i of each input and nothing else.
#pragma once
#include <array>
#include <type_traits>

#include "fusebox/graph/ops/family.h"

namespace fusebox::elementwise {

// ---- Shape rules.

// Two operands of one dtype, and the number they make.
TypeOr Arithmetic(const InferContext& c);
// Two operands of one dtype, which make a bool.
TypeOr Comparison(const InferContext& c);
// One or two bools, which make a bool.
TypeOr Logic(const InferContext& c);
// A bool and two operands of one dtype, which is the result's.
TypeOr Choice(const InferContext& c);
// One number.
TypeOr Number(const InferContext& c);
// One f32 or f64.
TypeOr Real(const InferContext& c);
// One operand of any dtype.
TypeOr Anything(const InferContext& c);

// ---- Gradients.

// The gradients of two operands, given at the output's shape: where an input was repeated, its gradient is the sum over
// the copies. Pass them in braces, which C++ evaluates in order: so any compiler writes the same graph.
Values Unbroadcast(const VjpContext& c, const std::array<Value, 2>& by);
// A zero of the dtype of `like`.
Value Zero(const Value& like);

// ---- Evaluation.

using evaluate::LiteralOr;

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

// y[i] = F(x[i]), for F of double and int64_t.
template <auto F>
LiteralOr UnaryOf(const EvaluateContext& c) {
  Literal out(c.dtype(), c.shape);
  WithDType(c.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto x = c.in(0).values<T>();
    const auto y = out.mutable_values<T>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = T(F(Wide<T>(x[i])));
  });
  return out;
}

// y[i] = F(x[i]), for F of double alone.
template <auto F>
LiteralOr RealOf(const EvaluateContext& c) {
  return UnaryOf<[](auto x) -> decltype(x) {
    if constexpr (std::is_same_v<decltype(x), double>) return F(x);
    return x;
  }>(c);
}

// y[i] = F(a[i], b[i]), for F of double and int64_t.
template <auto F>
LiteralOr BinaryOf(const EvaluateContext& c) {
  const Literal a = evaluate::Stretched(c.in(0), c.shape), b = evaluate::Stretched(c.in(1), c.shape);
  Literal out(c.dtype(), c.shape);
  WithDType(a.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto x = a.values<T>(), z = b.values<T>();
    const auto y = out.mutable_values<T>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = T(F(Wide<T>(x[i]), Wide<T>(z[i])));
  });
  return out;
}

// The same, where F gives a bool.
template <auto F>
LiteralOr ComparisonOf(const EvaluateContext& c) {
  const Literal a = evaluate::Stretched(c.in(0), c.shape), b = evaluate::Stretched(c.in(1), c.shape);
  Literal out(c.dtype(), c.shape);
  WithDType(a.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto x = a.values<T>(), z = b.values<T>();
    const auto y = out.mutable_values<bool>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = F(Wide<T>(x[i]), Wide<T>(z[i]));
  });
  return out;
}

}  // namespace fusebox::elementwise
