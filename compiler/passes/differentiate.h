// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Replaces each gradient node by the nodes of the derivative:
//
//     %y = tanh %x                   becomes     %y  = tanh %x
//     %l = sum %y {axes = [0]}                   %l  = sum %y {axes = [0]}
//     %g = gradient %l, %x                       %dy = broadcast 1;  %g = multiply %dy, (1 - %y * %y)
//
// Writes one reverse sweep for each loss, in place of its first gradient node: from the loss back over the nodes
// through which it depends on any of the values asked for, each by its op's own rule (OpInfo::vjp). Gradients that meet
// in a value are added in the order of its users, from the last one back. Gradients of gradients work, as sweeps are
// written in order and see ordinary nodes alone. Where the loss does not depend on x, the gradient is zero. Nodes of
// the loss keep their values; new nodes take the scope and source line of the node that they derive from.
//
// Runs right after inline_calls: only here do stop_gradient, and the order of max's operands in a tie, mean something.
// Linear in the number of nodes for each loss. Errors: a call on a gradient's path (inline_calls has to run before), a
// gradient rule that refuses.
absl::StatusOr<Graph> Differentiate(const Graph& graph);
inline constexpr GraphPass kDifferentiatePass = {"differentiate", "replaces gradient nodes by the derivative's symbols",
                                                 Differentiate};

}  // namespace fusebox
