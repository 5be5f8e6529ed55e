// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// Drops what no output and no update needs, inputs and states among it: dead code elimination. What stays is unchanged
// and in order. Runs after the passes that leave nodes without users behind. Linear in the number of nodes.
absl::StatusOr<Graph> EliminateDeadCode(const Graph& graph);

}  // namespace fusebox
