// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "tests/support/dice.h"
#include "tests/support/random_graph.h"

namespace fusebox::testing {
namespace {

Literal RandomIntegers(DType dtype, const Sizes& shape, Dice& dice, size_t below) {
  Literal literal(dtype, shape);
  WithDType(dtype, [&](auto t) {
    using T = decltype(t);
    for (auto& v : literal.mutable_values<T>()) v = T(dice.Below(below));
  });
  return literal;
}

Literal Random(DType dtype, const Sizes& shape, Dice& dice) {
  if (dtype == DType::kBool) return RandomIntegers(dtype, shape, dice, 2);
  if (!IsFloat(dtype)) return RandomIntegers(dtype, shape, dice, 3);
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  std::vector<double> values;
  for (int64_t i = 0; i < size; ++i) {
    const double magnitude = 0.1 + 1.9 * dice.Unit();
    values.push_back(dice.Chance(50) ? magnitude : -magnitude);
  }
  return Literal::FromDoubles(dtype, shape, values);
}

}  // namespace

Literal RandomLiteral(DType dtype, const Sizes& shape, uint64_t seed) {
  Dice dice(seed);
  return Random(dtype, shape, dice);
}

Bindings RandomBindings(const Graph& graph, uint64_t seed, int64_t batch) {
  Dice dice(seed + 0x5EED);
  Bindings bindings;
  bindings.batch = batch;
  std::set<NodeId> orders;
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (graph[id].op == Op::kRows) orders.insert(graph[id].inputs[0]);
  }
  const int64_t rows = 2 * batch + 3;
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (node.op != Op::kInput && node.op != Op::kRows && node.op != Op::kState) continue;
    const std::string& name = node.attributes.String("name");
    Sizes shape = Resolve(node.type.shape, batch);
    if (node.op == Op::kRows) shape[0] = rows;
    auto& bound = node.op == Op::kState ? bindings.states : bindings.inputs;
    bound[name] = orders.contains(id) ? RandomIntegers(node.type.dtype, shape, dice, size_t(rows))
                                      : Random(node.type.dtype, shape, dice);
  }
  return bindings;
}

}  // namespace fusebox::testing
