// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Replaces each call by the nodes of its region, calls inside them too:
//
//     %1 = call %x : f32[N] {               becomes     %0 = tanh %x : f32[N]
//       %arg0 = input {name = "0"}
//       %0 = tanh %arg0
//       return %0 }
//
// Runs first, so that no other pass needs to know of calls. Names, values, outputs and updates are kept; a node without
// a scope or a source line takes the call's. Linear in the number of nodes that come out. Errors: a region that does
// not fit its call; calls nested more than 64 deep.
absl::StatusOr<Graph> InlineCalls(const Graph& graph);
inline constexpr GraphPass kInlineCallsPass = {"inline_calls", "replaces calls by the nodes of their regions",
                                               InlineCalls};

}  // namespace fusebox
