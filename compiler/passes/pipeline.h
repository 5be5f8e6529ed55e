// SPDX-License-Identifier: Apache-2.0
// passes/ rewrites graphs: from a program as declared to the graph that kernels are made from. A pass is a pure
// function from graph to graph, one header and one source each; this unit runs them in order. simplify/
// holds the rules of one pass. The room sees graph/, fuse/kernel.h and pass_report.h.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/pass_report.h"
#include "fusebox/compiler/passes/pass.h"
#include "fusebox/graph/graph.h"

namespace fusebox {

// All passes, each once, in the order in which the pipeline runs them first. It runs some of them several times.
const std::vector<GraphPass>& GraphPasses();

// Runs one pass on the regions of branches, loops and calls, the innermost first, and then on the graph. Errors: what
// the pass refuses.
absl::StatusOr<Graph> RunGraphPass(const GraphPass& pass, const Graph& graph);

struct PassOptions {
  std::vector<std::string> skip = {};  // Leaves out these passes, wherever they stand in the pipeline.
  // Is called with "graph" (as declared), "gradient" (after differentiate), "simplified" (after the first simplify, cse
  // and dce), and after each pass with the pass's name.
  DumpCallback dump = {};
};

// Runs the pipeline, whose list stands at the top of pipeline.cc. Verifies the graph before the first pass and after
// each, and adds one entry to `reports` for each pass that ran. The result has no calls and no gradient nodes,
// reductions over one run of axes without keepdims, matrix products without transpose_b, and a copy wherever a kernel
// needs memory that no other node gives it.
//
// Errors: a graph that does not verify (the message names the pass that it came out of); what a pass refuses; a pass to
// be skipped that is unknown, or that later stages cannot do without.
absl::StatusOr<Graph> RunGraphPasses(const Graph& graph, const PassOptions& options, std::vector<PassReport>& reports);

}  // namespace fusebox
