// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/dce.h"

namespace fusebox {

absl::StatusOr<Graph> EliminateDeadCode(const Graph& graph) { return Rewrite(graph, Keep); }

}  // namespace fusebox
