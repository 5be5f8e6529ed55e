// SPDX-License-Identifier: Apache-2.0
// The reference evaluator: the meaning of every op by the plain loops of its entry (graph/ops/), and the oracle of
// every test. Slow and exact:
//
//   arithmetic   in f64, rounded to the dtype after each op; sums and matrix products of f32 are added up in f64, so
//                rounded once. Correctly rounded for + - * / sqrt; other functions are libm's f64 results, rounded.
//   integers     wrap; x / 0 is 0; the least one / -1 wraps.
//   NaN          max, min, reduce_max, sign propagate it; argmax counts it as greatest; comparisons are false.
//   -0 and +0    max(-0, +0) is +0, min is -0; sign of either is +0.
//   empty        a sum of nothing is 0, its maximum -inf or the least integer, argmax over it 0.
//   indices      out of range: `gather` gives a row of zeros, `scatter_add` drops the update, `rows` refuses.
//
// Nothing is fused, reused or re-ordered. Memory is freed after a value's last use.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/graph/literal.h"

namespace fusebox {

struct Bindings {
  std::map<std::string, Literal> inputs;  // By name; for `rows`, the whole data set.
  std::map<std::string, Literal> states;
  int64_t batch = 1;  // What N is.
};

struct Evaluation {
  std::map<std::string, Literal> outputs;
  std::map<std::string, Literal> states;  // The new values of those that are updated.
};

// Evaluates one step. Ignores bindings that nothing needs. Errors name the node or the binding: a graph that does not
// verify, derivatives not yet written out, a binding that is missing or of another type, an order that points outside
// its data set, a value of more than 16 GiB.
absl::StatusOr<Evaluation> Evaluate(const Graph& graph, const Bindings& bindings);

// The same, but returns every value, by id. Values that no output or update needs are empty (dtype kError).
absl::StatusOr<std::vector<Literal>> EvaluateNodes(const Graph& graph, const Bindings& bindings);

// Evaluates one node on values of its inputs. Error: an input, rows or a state, which need bindings.
absl::StatusOr<Literal> EvaluateNode(const Node& node, std::span<const Literal* const> inputs, int64_t batch);

}  // namespace fusebox
