// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Replaces each gradient node by the symbols of the derivative, which are nodes like all others:
//
//     %y = tanh %x                   becomes     %y  = tanh %x
//     %l = sum %y {axes = [0]}                   %l  = sum %y {axes = [0]}
//     %g = gradient %l, %x                       %dy = broadcast 1;  %g = multiply %dy, (1 - %y * %y)
//
// One reverse sweep for each loss, put where its first gradient node stands: from the loss back over the nodes by which
// it depends on any of the values asked for, each by its op's own rule (OpInfo::vjp). Gradients that meet in a value
// are added in the order of its users from the last one back. Gradients of gradients work, as sweeps are made in order
// and see nodes alone. Where the loss does not depend on x, the gradient is zero. What the loss was made from keeps its
// values; the new nodes bear scope and source line of the node they derive from.
//
// Runs first, right after calls are inlined: only here do stop_gradient, and the order of operands of max in a tie,
// mean something. Linear in the number of nodes for each loss. Errors: a call on a gradient's path (inline_calls has to
// run before), a gradient rule that is refused.
absl::StatusOr<Graph> Differentiate(const Graph& graph);

}  // namespace fusebox
