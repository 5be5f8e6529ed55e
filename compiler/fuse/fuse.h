// SPDX-License-Identifier: Apache-2.0
// fuse/ groups the nodes of a graph into kernels (kernel.h). It sees graph/ alone.
//
// This unit does so greedily, in one walk over the graph:
//
//   - a node joins a kernel of one of its inputs, or else one that reads the same inputs, if it can be computed in that
//     kernel's loop nest and no path would lead out of the kernel and back into it;
//   - a kernel whose code is long enough (kMostWork) takes no more nodes; then the latest kernel goes on with the work;
//   - otherwise it starts a kernel of its own, and each edge into it gets a reason;
//   - a node that is cheaper to compute again than to store (masks, indices, random numbers, broadcasts, one step of
//     arithmetic on one array that lies in memory anyway) waits for its users, and becomes a member of each kernel that
//     needs it; so does a node that has one elementwise user and is made from states and inputs alone.
//
// Comes after the graph passes (passes/pipeline.h). Branches and loops are kernels of their own; their regions are
// fused for themselves. The graph itself is unchanged.
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox {

absl::StatusOr<FusedProgram> Fuse(const Graph& graph);

}  // namespace fusebox
