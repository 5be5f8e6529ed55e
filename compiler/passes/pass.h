// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// A pass as the pipeline runs it and `fusebox opt` offers it. Each pass's header has one as a constant beside its
// function.
struct GraphPass {
  const char* name;
  const char* what;                            // What it does, in a few words for `opt --list`.
  absl::StatusOr<Graph> (*run)(const Graph&);  // Rewrites one graph. The pipeline calls it for regions, too.
};

}  // namespace fusebox
