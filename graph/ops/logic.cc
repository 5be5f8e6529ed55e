// SPDX-License-Identifier: Apache-2.0
// Comparisons, logic, and the choice between two values.
#include "fusebox/graph/ops/elementwise.h"

namespace fusebox {
namespace {

using namespace elementwise;

LiteralOr Chosen(const EvaluateContext& c) {
  const Literal condition = evaluate::Stretched(c.in(0), c.shape);
  const Literal a = evaluate::Stretched(c.in(1), c.shape), b = evaluate::Stretched(c.in(2), c.shape);
  Literal out(c.dtype(), c.shape);
  WithDType(c.dtype(), [&](auto t) {
    using T = decltype(t);
    const auto first = condition.values<bool>();
    const auto x = a.values<T>(), z = b.values<T>();
    const auto y = out.mutable_values<T>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = first[i] ? x[i] : z[i];
  });
  return out;
}

constexpr OpInfo kOps[] = {
    {.name = "equal",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Comparison,
     .evaluate = ComparisonOf<[](auto a, auto b) { return a == b; }>,
     .accuracy = Accuracy::kExact,
     .commutative = true,
     .meaning = "a == b. False if either is NaN.",
     .examples = "1, 1 -> 1; 0, -0 -> 1; nan, nan -> 0"},
    {.name = "less",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Comparison,
     .evaluate = ComparisonOf<[](auto a, auto b) { return a < b; }>,
     .accuracy = Accuracy::kExact,
     .meaning = "a < b. False if either is NaN; false < true.",
     .examples = "1, 2 -> 1; 2, 2 -> 0; nan, 1 -> 0"},
    {.name = "less_equal",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Comparison,
     .evaluate = ComparisonOf<[](auto a, auto b) { return a <= b; }>,
     .accuracy = Accuracy::kExact,
     .meaning = "a <= b. False if either is NaN; false < true.",
     .examples = "2, 2 -> 1; 1, nan -> 0"},
    {.name = "and",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Logic,
     .evaluate = ComparisonOf<[](auto a, auto b) { return a != 0 && b != 0; }>,
     .accuracy = Accuracy::kExact,
     .commutative = true,
     .idempotent = true,
     .meaning = "Both.",
     .examples = "1, 1 -> 1; 1, 0 -> 0"},
    {.name = "or",
     .kind = OpKind::kElementwise,
     .arity = 2,
     .infer = Logic,
     .evaluate = ComparisonOf<[](auto a, auto b) { return a != 0 || b != 0; }>,
     .accuracy = Accuracy::kExact,
     .commutative = true,
     .idempotent = true,
     .meaning = "Either.",
     .examples = "1, 0 -> 1; 0, 0 -> 0"},
    {.op = Op::kNot,
     .name = "not",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Logic,
     .evaluate = UnaryOf<[](auto x) { return x == 0; }>,
     .accuracy = Accuracy::kExact,
     .own_inverse = true,
     .meaning = "Not.",
     .examples = "1 -> 0; 0 -> 1"},
    {.op = Op::kSelect,
     .name = "select",
     .kind = OpKind::kElementwise,
     .arity = 3,
     .infer = Choice,
     .vjp = [](const VjpContext& c) -> Values {
       const Value zero = Zero(c.dy);
       return {{},
               SumTo(Select(c.inputs[0], c.dy, zero), c.inputs[1].dims()),
               SumTo(Select(c.inputs[0], zero, c.dy), c.inputs[2].dims())};
     },
     .evaluate = Chosen,
     .accuracy = Accuracy::kExact,
     .meaning = "condition ? a : b; what is not chosen has no influence, NaN or not.",
     .examples = "1, 2, 3 -> 2; 0, nan, 3 -> 3"},
};

}  // namespace

std::span<const OpInfo> LogicOps() { return kOps; }

}  // namespace fusebox
