// SPDX-License-Identifier: Apache-2.0
// Bounds on the difference between an optimized program and the reference evaluator.
//
// The rule is a running error bound, carried through the graph next to the reference's values. An element (v, e) means:
// a correct program computes something in [v - e, v + e]. With u = 2^-24 for f32 and 2^-53 for f64:
//
//   inputs, states, constants, random numbers, movement     e as it comes (0)
//   elementwise     the largest change of f when each operand moves by its e (f is monotone in each, so the corners of
//                   the box suffice), plus 4 u |f| for arithmetic, which leaves room for x/c as x (1/c), and 16 u |f|
//                   for functions like exp, which are approximations
//   sum, matmul, scatter_add of K terms     sum e_i + 4 (K+4) u sum |terms|: any order, blocks and fma;
//                   anything if sum |terms| overflows
//   reduce_max      max e_i
//   comparisons, sign, floor, casts to integers, argmax     exact if no operand can cross the step, otherwise the step
//   integers, bools     exact, unless they come from such a crossing: then anything
//
// Where the reference's value is NaN or infinite, the other must be, too, unless e says that it is at an edge.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/graph.h"
#include "gtest/gtest.h"

namespace fusebox::testing {

struct Bounded {
  Literal value;              // The reference's.
  std::vector<double> error;  // e for each element; infinite where there is no bound.
};

// The value and bound of each node that an output or an update needs, by id.
absl::StatusOr<std::vector<Bounded>> EvaluateWithBounds(const Graph& graph, const Bindings& bindings);

struct Agreement {
  std::string mismatch;   // Empty if all agree; otherwise the first difference, and the expected value.
  int64_t elements = 0;   // Compared,
  int64_t unbounded = 0;  // of which this many have no bound. A test should check that these are few.
  double worst = 0;       // The largest |got - reference| / e.
};
// Whether `got`, computed by an optimized form of `reference`, agrees with the reference: each output and each new
// state.
Agreement Compare(const Graph& reference, const Bindings& bindings, const Evaluation& got);

// Checks that a pass changed no value: compares both graphs in the evaluator, for N = 1, 3 and 17 and seeded random
// bindings of `before`.
void ExpectSameValues(const Graph& before, const Graph& after);

}  // namespace fusebox::testing
