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

// Every node: a known op, inputs that come before it, attributes that the op has (axes counted from the front, each once
// and in order), the type that the op gives, of a size that can exist; names of inputs, states and outputs that are there
// and unique; regions that fit their node; updates of states, by values of the state's type.
// The message shows the first wrong node as it is printed, and the line that wrote it where that is known.
absl::Status Verify(const Graph& graph, Stage stage);

}  // namespace fusebox
