// SPDX-License-Identifier: Apache-2.0
// Arithmetic on numbers: integers and reals.
#include <cmath>
#include <limits>

#include "fusebox/graph/ops/elementwise.h"

namespace fusebox {
namespace {

using namespace elementwise;

template <class T>
T Quotient(T a, T b) {
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

template <class T>
T Lesser(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return -Greater(-a, -b);
  return a < b ? a : b;
}

template <class T>
T Negative(T x) {
  if constexpr (std::is_floating_point_v<T>) return -x;
  return Wrapping<T>(0, x, [](auto a, auto b) { return a - b; });
}

template <class T>
T Magnitude(T x) {
  if constexpr (std::is_floating_point_v<T>) return std::abs(x);
  return x < 0 ? Negative(x) : x;
}

template <class T>
T SignOf(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(x)) return x;
  }
  return T((x > 0) - (x < 0));
}

constexpr OpInfo kOps[] = {
    {.op = Op::kAdd,
     .name = "add",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp = [](const VjpContext& c) { return Unbroadcast(c, {c.dy, c.dy}); },
     .evaluate = BinaryOf<[](auto a, auto b) { return Wrapping(a, b, [](auto x, auto y) { return x + y; }); }>,
     .cost = Cost::kSame,
     .commutative = true,
     .meaning = "a + b. Integers wrap.",
     .examples = "2, 3 -> 5; inf, -inf -> nan"},
    {.op = Op::kSubtract,
     .name = "subtract",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp = [](const VjpContext& c) { return Unbroadcast(c, {c.dy, -c.dy}); },
     .evaluate = BinaryOf<[](auto a, auto b) { return Wrapping(a, b, [](auto x, auto y) { return x - y; }); }>,
     .cost = Cost::kSame,
     .meaning = "a - b. Integers wrap.",
     .examples = "2, 3 -> -1"},
    {.op = Op::kMultiply,
     .name = "multiply",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp = [](const VjpContext& c) { return Unbroadcast(c, {c.dy * c.inputs[1], c.dy * c.inputs[0]}); },
     .evaluate = BinaryOf<[](auto a, auto b) { return Wrapping(a, b, [](auto x, auto y) { return x * y; }); }>,
     .cost = Cost::kSame,
     .commutative = true,
     .meaning = "a * b. Integers wrap.",
     .examples = "2, 3 -> 6; 0, inf -> nan"},
    {.op = Op::kDivide,
     .name = "divide",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     // From the output: d(a/b)/db = -(a/b)/b, and a/b is already computed.
     .vjp =
         [](const VjpContext& c) {
           const Value da = c.dy / c.inputs[1];
           return Unbroadcast(c, {da, -(da * c.output)});
         },
     .evaluate = BinaryOf<[](auto a, auto b) { return Quotient(a, b); }>,
     .domain = Domain::kNonZero,
     .meaning = "a / b. Integers round towards zero; x / 0 is 0 and the least one / -1 wraps.",
     .examples = "1, 4 -> 0.25; 1, 0 -> inf; 0, 0 -> nan"},
    {.name = "max",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     // From the output rather than from a: a layer that keeps only its activation need not keep the sum before it. A
     // tie goes to b, so relu = max(x, 0) has gradient 0 at 0, as in Keras.
     .vjp =
         [](const VjpContext& c) {
           const Value a_is_greater = Less(c.inputs[1], c.output), zero = Zero(c.dy);
           return Unbroadcast(c, {Select(a_is_greater, c.dy, zero), Select(a_is_greater, zero, c.dy)});
         },
     .evaluate = BinaryOf<[](auto a, auto b) { return Greater(a, b); }>,
     .accuracy = Accuracy::kExact,
     .commutative = true,
     .idempotent = true,
     .meaning = "The greater one. NaN if either is NaN; -0 < +0. The gradient of a tie goes to b.",
     .examples = "1, 2 -> 2; nan, 1 -> nan; -0, 0 -> 0"},
    {.name = "min",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Arithmetic,
     .vjp =
         [](const VjpContext& c) {
           const Value a_is_less = Less(c.output, c.inputs[1]), zero = Zero(c.dy);
           return Unbroadcast(c, {Select(a_is_less, c.dy, zero), Select(a_is_less, zero, c.dy)});
         },
     .evaluate = BinaryOf<[](auto a, auto b) { return Lesser(a, b); }>,
     .accuracy = Accuracy::kExact,
     .commutative = true,
     .idempotent = true,
     .meaning = "The lesser one. NaN if either is NaN; -0 < +0. The gradient of a tie goes to b.",
     .examples = "1, 2 -> 1; 1, nan -> nan; 0, -0 -> -0"},
    {.op = Op::kNegate,
     .name = "negate",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Number,
     .vjp = [](const VjpContext& c) -> Values { return {-c.dy}; },
     .evaluate = UnaryOf<[](auto x) { return Negative(x); }>,
     .accuracy = Accuracy::kExact,
     .own_inverse = true,
     .meaning = "-x. Integers wrap.",
     .examples = "2 -> -2; 0 -> -0"},
    {.name = "abs",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Number,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * Sign(c.inputs[0])}; },
     .evaluate = UnaryOf<[](auto x) { return Magnitude(x); }>,
     .accuracy = Accuracy::kExact,
     .meaning = "|x|. The least integer stays itself.",
     .examples = "-2 -> 2; -0 -> 0"},
    {.name = "sign",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Number,
     .evaluate = UnaryOf<[](auto x) { return SignOf(x); }>,
     .accuracy = Accuracy::kExact,
     .meaning = "-1, 0 or 1; NaN of NaN. The gradient is 0.",
     .examples = "-3 -> -1; -0 -> 0; nan -> nan"},
};

}  // namespace

std::span<const OpInfo> ArithmeticOps() { return kOps; }

}  // namespace fusebox
