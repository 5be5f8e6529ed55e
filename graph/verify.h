// SPDX-License-Identifier: Apache-2.0
// The verifier: whether a graph means something. Run after parsing, after declaring, and after every pass.
#pragma once
#include "absl/status/status.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// How far a graph has come; each stage allows what the next one does not.
enum class Stage {
  kDeclared,        // Anything.
  kDifferentiated,  // No `gradient` nodes.
  kFlat,            // No `call` nodes either. Branches and loops keep their regions.
};

// Checks that each node has a known op, inputs that come before it, attributes that the op has (axes counted from the
// front, each once and in order) and the type that the op gives, of a size that can exist; that inputs, states and
// outputs have names, each once; that regions fit their node; that updates are of states, by values of equal type. The
// message shows the first wrong node as it is printed, and the line that wrote it where that is known.
absl::Status Verify(const Graph& graph, Stage stage);

}  // namespace fusebox
