// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Common subexpression elimination. Merges nodes that compute the same: equal op, inputs (in any order, if the op is
// commutative), attributes and type:
//
//     %0 = exp %x                     becomes     %0 = exp %x
//     %1 = exp %x                                 %1 = add %0, %0
//     %2 = add %0, %1
//
// The first one stays, with its scope. Random numbers are the same only if they come from the same stream. Values are
// unchanged bit for bit. Error: the graph still has gradient nodes; a derivative by one of two equal values is not one
// by both. Runs after simplify, which gives equal values equal form, and again after passes that add nodes. Linear in
// the number of nodes.
absl::StatusOr<Graph> EliminateCommonSubexpressions(const Graph& graph);
inline constexpr GraphPass kCsePass = {"cse", "merges nodes that compute the same", EliminateCommonSubexpressions};

}  // namespace fusebox
