// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Algebra. Rewrites each node by the first small rule that fits it, in walks over the graph until none does (8 at
// most). The rules stand in simplify/, one function each with its equation:
//
//     arithmetic.cc    x * 1 = x,  a + -b = a - b,  constants folded, ...
//     broadcasts.cc    values that repeat are computed once, and repeated as late as possible
//     movement.cc      reshapes of reshapes, transposes of transposes, slices of everything
//     reductions.cc    sums over nothing, matmul of transposed operands, sizes and indices that need no tensor
//
// Runs after differentiate, whose rules write what is simple to write, and before cse, which finds more once equal
// values have equal form. Error: the graph still has gradient nodes, for which stop_gradient nodes matter; this pass
// drops them.
//
// Values are the same bit for bit, NaN and infinity included, with these exceptions:
//   - a zero may change its sign: by x + 0 = x, x - -0 = x, and sums of -0 over axes of size 1 or of repeated elements;
//   - the sum of k equal numbers x becomes k * x, rounded once;
//   - constants are folded by the reference evaluator, which is more exact than a kernel's exp or tanh.
// x * 0 stays for floats, as x may be NaN. Types, outputs and updates are kept. Linear in the number of nodes for each
// walk.
absl::StatusOr<Graph> Simplify(const Graph& graph);
inline constexpr GraphPass kSimplifyPass = {"simplify", "applies algebra, folds constants and broadcasts", Simplify};

}  // namespace fusebox
