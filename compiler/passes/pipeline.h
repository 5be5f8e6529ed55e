// SPDX-License-Identifier: Apache-2.0
// The graph passes in their order: from a program as declared to the graph that kernels are made from. The list itself
// stands at the top of pipeline.cc.
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"

namespace fusebox {

// Runs the passes, on the regions of branches and loops first, and verifies the graph before the first and after each.
// What comes out has no calls and no gradient nodes, reductions over one run of axes without keepdims, and matrix products
// without transpose_b.
//
//   options.skip   leaves passes out by name, wherever they stand in the list.
//   options.dump   is called with "graph" (as declared), "gradient" (after differentiate), "simplified" (after the
//                  first simplify, cse and dce), and after each pass with the pass's name.
//   report.passes  gets one entry a pass that ran.
//
// Errors: a graph that does not verify (the message names the pass that it came out of), what a pass refuses, and a
// pass to be skipped that later stages cannot do without.
absl::StatusOr<Graph> RunGraphPasses(const Graph& graph, const CompileOptions& options, CompileReport& report);

}  // namespace fusebox
