// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Dead code elimination. Drops nodes that no output and no update needs, inputs and states among them. The others stay
// unchanged and in order. Runs after passes that leave nodes without users behind. Linear in the number of nodes.
absl::StatusOr<Graph> EliminateDeadCode(const Graph& graph);
inline constexpr GraphPass kDcePass = {"dce", "drops what no output or update needs", EliminateDeadCode};

}  // namespace fusebox
