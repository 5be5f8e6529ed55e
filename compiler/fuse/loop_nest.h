// SPDX-License-Identifier: Apache-2.0
// Which nodes a kernel's loop nest can compute.
#pragma once
#include <string>
#include <utility>

#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox {

// "" if the node fits, else why not.
using Reason = std::string;

// Whether the node can be computed in the kernel's loop nest.
Reason Fits(const Graph& graph, const Kernel& kernel, const Node& node);

// The kernel that the node begins if it joins none. It has no members yet.
Kernel KernelFor(const Graph& graph, const Node& node);

// The axes that a reduction folds, as the first axis and how many there are. They are adjacent after the pass
// canonical_reductions.
std::pair<int64_t, int64_t> ReducedRun(const Node& node);

}  // namespace fusebox
