// SPDX-License-Identifier: Apache-2.0
// How far an optimised program may be from the reference evaluator.
//
// The rule is a running error bound, carried through the graph next to the reference's values. An element (v, e) says:
// a correct program computes something in [v - e, v + e]. With u = 2^-24 for f32 and 2^-53 for f64:
//
//   inputs, states, constants, random numbers, movement     e as it comes (0)
//   elementwise     the greatest change of f when each operand moves by its e (f is monotone in each, so the corners of
//                   the box do), plus 4 u |f| for arithmetic, which leaves room for x/c as x (1/c), and 16 u |f| for
//                   functions like exp, which are approximations
//   sum, matmul, scatter_add of K terms     sum e_i + 4 (K+4) u sum |terms|: any order, blocks and fma;
//                   anything if sum |terms| overflows
//   reduce_max      max e_i
//   comparisons, sign, floor, casts to integers, argmax     exact where no operand can cross the step, else the step
//   integers, bools     exact, unless they come from such a crossing: then anything
//
// Where a value of the reference is NaN or infinite, so has the other one to be, unless e says that it is at an edge.
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
  std::vector<double> error;  // e for each element; infinite where nothing can be said.
};

// Of each node that an output or an update needs, by id.
absl::StatusOr<std::vector<Bounded>> EvaluateWithBounds(const Graph& graph, const Bindings& bindings);

struct Agreement {
  std::string mismatch;   // Empty if all agree; else the first one that doesn't, and what it should be.
  int64_t elements = 0;   // Compared,
  int64_t unbounded = 0;  // of which so many could be anything. A test should see to it that these are few.
  double worst = 0;       // The greatest |got - reference| / e.
};
// Whether `got`, from an optimised form of `reference`, gives what the reference does: each output and each new state.
Agreement Compare(const Graph& reference, const Bindings& bindings, const Evaluation& got);

// A pass changed no value: both graphs, on the evaluator, for N = 1, 3 and 17 and seeded random bindings of `before`.
void ExpectSameValues(const Graph& before, const Graph& after);

}  // namespace fusebox::testing
