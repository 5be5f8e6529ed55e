// SPDX-License-Identifier: Apache-2.0
// Groups nodes into kernels, greedily, in one walk over the graph:
//
//   - a node joins a kernel of one of its inputs, or else one that reads the same inputs, if it can be computed in that
//     kernel's loop nest and no path would lead out of the kernel and back into it;
//   - otherwise it starts a kernel of its own, and each edge into it gets a reason;
//   - what is cheaper to compute again than to store (masks, indices, random numbers, broadcasts, one step of arithmetic on one array
//     that lies in memory anyway) waits for its users, and becomes a member of each kernel that needs it; so does what
//     has one elementwise user and is made from states and inputs alone.
//
// Comes after the graph passes: reductions fold one run of adjacent axes, matmul has plain operands, no regions or
// gradients are left. The graph itself is unchanged.
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox {

absl::StatusOr<FusedProgram> Fuse(const Graph& graph);

}  // namespace fusebox
