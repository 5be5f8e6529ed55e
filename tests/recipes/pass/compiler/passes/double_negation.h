// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Drops two negations in a row:
//
//     %0 = negate %x     becomes     %0 = negate %x
//     %1 = negate %0                 %2 = exp %x
//     %2 = exp %1
//
// Runs anywhere before dce, which drops a negation that nothing needs any more. Values are unchanged. Linear in the
// number of nodes.
absl::StatusOr<Graph> DropDoubleNegations(const Graph& graph);
inline constexpr GraphPass kDoubleNegationPass = {
    "double_negation", "drops two negations in a row", DropDoubleNegations};

}  // namespace fusebox
