// SPDX-License-Identifier: Apache-2.0
// Rules about single elements. Operands of commutative ops are tried both ways round.
#include <algorithm>

#include "fusebox/compiler/passes/simplify/rules.h"
#include "fusebox/graph/evaluate.h"

namespace fusebox::simplify {
namespace {

bool IsNumber(const Site& at, size_t i, double number) { return Number(at.graph, at.node.inputs[i]) == number; }
// The x of a value -x; 0 if it is none.
NodeId Negated(const Graph& graph, NodeId id) { return graph[id].op == Op::kNegate ? graph[id].inputs[0] : 0; }

// f(c1, c2, ...) = the number
NodeId FoldConstants(Site at) {
  if (at.node.info().kind != OpKind::kElementwise) return 0;
  std::vector<Literal> values;
  for (const NodeId input : at.node.inputs) {
    const Node& constant = at.graph[input];
    if (constant.op != Op::kConstant) return 0;
    const double number[] = {constant.attributes.Float("value")};
    values.push_back(Literal::FromDoubles(constant.type.dtype, {}, number));
  }
  std::vector<const Literal*> inputs;
  for (const Literal& value : values) inputs.push_back(&value);
  const absl::StatusOr<Literal> result = EvaluateNode(at.node, inputs, /*batch=*/1);
  if (!result.ok()) return 0;
  const double number = result->ToDoubles()[0];
  // An i64 may be larger than a constant can hold.
  const double numbers[] = {number};
  if (Literal::FromDoubles(at.node.type.dtype, {}, numbers) != *result) return 0;
  return at.Constant(number, at.node.type.dtype);
}

// x + 0 = x,  x - 0 = x
NodeId AddZero(Site at) {
  if (at.node.op != Op::kAdd && at.node.op != Op::kSubtract) return 0;
  if (IsNumber(at, 1, 0)) return at.Instead(at.node.inputs[0]);
  if (at.node.op == Op::kAdd && IsNumber(at, 0, 0)) return at.Instead(at.node.inputs[1]);
  return 0;
}

// x * 1 = x,  x / 1 = x,  x * -1 = -x,  x / -1 = -x
NodeId MultiplyByOne(Site at) {
  if (at.node.op != Op::kMultiply && at.node.op != Op::kDivide) return 0;
  const size_t sides = at.node.op == Op::kMultiply ? 2 : 1;
  for (size_t x = 0; x < sides; ++x) {
    const NodeId value = at.node.inputs[x];
    if (IsNumber(at, 1 - x, 1)) return at.Instead(value);
    if (IsNumber(at, 1 - x, -1)) return at.Instead(at.Add(Op::kNegate, {value}));
  }
  return 0;
}

// -(-x) = x,  not not x = x
NodeId Twice(Site at) {
  if (!at.node.info().own_inverse) return 0;
  return at.InputIs(0, at.node.op) ? at.input(0).inputs[0] : 0;
}

// a + -b = a - b,  -a + b = b - a,  a - -b = a + b
NodeId AddNegated(Site at) {
  if (at.node.op != Op::kAdd && at.node.op != Op::kSubtract) return 0;
  const NodeId a = at.node.inputs[0], b = at.node.inputs[1];
  if (const NodeId x = Negated(at.graph, b)) return at.Add(at.node.op == Op::kAdd ? Op::kSubtract : Op::kAdd, {a, x});
  if (const NodeId x = Negated(at.graph, a); x != 0 && at.node.op == Op::kAdd) return at.Add(Op::kSubtract, {b, x});
  return 0;
}

// a + (-b) * c = a - b * c, and so on: the sign of a product moves into the sum that uses it. If the product has other
// users too, this makes a second one, which costs less than the loop around it.
NodeId AddNegatedProduct(Site at) {
  if (at.node.op != Op::kAdd && at.node.op != Op::kSubtract) return 0;
  const auto without_sign = [&at](NodeId id) -> NodeId {
    const Node product = at.graph[id];
    if (product.op != Op::kMultiply && product.op != Op::kDivide) return 0;
    for (size_t i = 0; i < 2; ++i) {
      std::vector<NodeId> factors = product.inputs;
      if (const NodeId x = Negated(at.graph, factors[i])) {
        factors[i] = x;
        return at.Add(product.op, std::move(factors));
      }
    }
    return 0;
  };
  const bool add = at.node.op == Op::kAdd;
  const NodeId a = at.node.inputs[0], b = at.node.inputs[1];
  if (!IsFloat(at.node.type.dtype)) return 0;  // -(a / b) and (-a) / b differ for the least integer.
  if (const NodeId x = without_sign(b)) return at.Add(add ? Op::kSubtract : Op::kAdd, {a, x});
  if (!add) return 0;
  if (const NodeId x = without_sign(a)) return at.Add(Op::kSubtract, {b, x});
  return 0;
}

// (-a) * (-b) = a * b,  (-a) / (-b) = a / b for floats
NodeId MultiplyNegated(Site at) {
  if ((at.node.op != Op::kMultiply && at.node.op != Op::kDivide) || !IsFloat(at.node.type.dtype)) return 0;
  const NodeId a = Negated(at.graph, at.node.inputs[0]), b = Negated(at.graph, at.node.inputs[1]);
  return a != 0 && b != 0 ? at.Add(at.node.op, {a, b}) : 0;
}

// max(x, x) = min(x, x) = x and x = x or x = x
NodeId OneOfEquals(Site at) {
  return at.node.info().idempotent && at.node.inputs[0] == at.node.inputs[1] ? at.node.inputs[0] : 0;
}

// select(c, x, x) = x,  select(true, a, b) = a,  select(false, a, b) = b,  select(not c, a, b) = select(c, b, a)
NodeId Select(Site at) {
  if (at.node.op != Op::kSelect) return 0;
  const NodeId condition = at.node.inputs[0], a = at.node.inputs[1], b = at.node.inputs[2];
  if (a == b) return at.Instead(a);
  if (const auto number = Number(at.graph, condition)) return at.Instead(*number != 0 ? a : b);
  if (at.InputIs(0, Op::kNot)) return at.Add(Op::kSelect, {at.input(0).inputs[0], b, a});
  return 0;
}

// cast x to the dtype of x = x;  stop_gradient(x) = x, once gradients are written
NodeId Nothing(Site at) {
  if (at.node.op != Op::kCast && at.node.op != Op::kStopGradient) return 0;
  return at.input(0).type == at.node.type ? at.node.inputs[0] : 0;
}

// Optional flags that are false are left out: transpose_a = false, keepdims = false
NodeId PlainAttributes(Site at) {
  if (at.node.info().kind == OpKind::kSource) return 0;  // A state's flags are part of its identity.
  Node plain = at.node;
  plain.attributes = {};
  bool changed = false;
  for (const auto& [name, value] : at.node.attributes) {
    const auto spec = std::ranges::find_if(at.node.info().attributes,
                                           [&](const AttributeSpec& s) { return s.name != nullptr && s.name == name; });
    const bool drop = value == AttributeValue(false) && spec != std::end(at.node.info().attributes) && !spec->required;
    if (!drop) plain.attributes.Set(name, value);
    changed |= drop;
  }
  return changed ? at.graph.Add(std::move(plain)) : 0;
}

constexpr Rule kRules[] = {FoldConstants,   AddZero,     MultiplyByOne, Twice,   AddNegated,     AddNegatedProduct,
                           MultiplyNegated, OneOfEquals, Select,        Nothing, PlainAttributes};

}  // namespace

std::span<const Rule> ArithmeticRules() { return kRules; }

std::optional<double> Number(const Graph& graph, NodeId id) {
  while (graph[id].op == Op::kBroadcast || graph[id].op == Op::kReshape) id = graph[id].inputs[0];
  const Node& node = graph[id];
  if (node.op != Op::kConstant) return std::nullopt;
  const double value[] = {node.attributes.Float("value")};
  return Literal::FromDoubles(node.type.dtype, {}, value).ToDoubles()[0];
}

}  // namespace fusebox::simplify
