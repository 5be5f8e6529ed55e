// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Makes one node of all that compute the same: equal op, inputs (in any order, if the op is commutative), attributes
// and type. Common subexpression elimination:
//
//     %0 = exp %x                     becomes     %0 = exp %x
//     %1 = exp %x                                 %1 = add %0, %0
//     %2 = add %0, %1
//
// The first one stays, with its scope. Random numbers are the same only if they come from the same stream. Values are
// unchanged bit for bit. A graph that still has gradient nodes is an error, as a derivative by one of two equal values
// is not one by both. Runs after simplify, which makes equal what only looked different, and again where new nodes were
// made. Linear in the number of nodes.
absl::StatusOr<Graph> EliminateCommonSubexpressions(const Graph& graph);

}  // namespace fusebox
