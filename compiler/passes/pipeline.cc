// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/pipeline.h"

#include <algorithm>
#include <ranges>

#include "fusebox/compiler/passes/canonical_reductions.h"
#include "fusebox/compiler/passes/cse.h"
#include "fusebox/compiler/passes/dce.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/passes/inline_calls.h"
#include "fusebox/compiler/passes/layout.h"
#include "fusebox/compiler/passes/own_memory.h"
#include "fusebox/compiler/passes/simplify.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"

namespace fusebox {
namespace {

// One line of the pipeline: a pass, what the graph is after it, and the dump stage that ends with it.
struct Step {
  const GraphPass* pass;
  Stage stage = Stage::kFlat;
  std::string_view dump = {};
};

constexpr Step kPipeline[] = {
    // First: no other pass needs to know of calls.
    {&kInlineCallsPass, Stage::kDeclared},
    // Before any rewrite: only here do stop_gradient and the order of max's operands mean something.
    {&kDifferentiatePass, Stage::kFlat, "gradient"},
    // After differentiate, as gradient rules write what is simple to write. cse merges what looks equal afterwards, and
    // dce drops the rest.
    {&kSimplifyPass},
    {&kCsePass},
    {&kDcePass, Stage::kFlat, "simplified"},
    // One form for all reductions. Its reshapes meet others, and the second simplify cancels them.
    {&kCanonicalReductionsPass},
    {&kSimplifyPass},
    // After the last simplify, which would undo it. cse lets several products share a transposed operand.
    {&kLayoutPass},
    {&kCsePass},
    {&kDcePass},
    // Last: simplify would fold the copy of a constant, and cse would merge two copies of one value.
    {&kOwnMemoryPass},
};

bool Has(Op op, const Graph& graph) {
  for (NodeId id = 1; id < graph.size(); ++id) {
    const auto has = [op](const Graph& region) { return Has(op, region); };
    if (graph[id].op == op || std::ranges::any_of(graph[id].regions, has)) return true;
  }
  return false;
}

// Whether later stages need this pass on this graph.
bool IsNeeded(const GraphPass& pass, const Graph& graph) {
  if (&pass == &kInlineCallsPass) return Has(Op::kCall, graph);
  if (&pass == &kDifferentiatePass) return Has(Op::kGradient, graph);
  // The form that kernels are made from.
  return &pass == &kCanonicalReductionsPass || &pass == &kLayoutPass || &pass == &kOwnMemoryPass;
}

}  // namespace

const std::vector<GraphPass>& GraphPasses() {
  static const std::vector<GraphPass> kPasses = [] {
    std::vector<GraphPass> passes;
    for (const Step& step : kPipeline) {
      if (std::ranges::find(passes, step.pass->run, &GraphPass::run) == passes.end()) passes.push_back(*step.pass);
    }
    return passes;
  }();
  return kPasses;
}

absl::StatusOr<Graph> RunGraphPass(const GraphPass& pass, const Graph& graph) {
  Graph deep = graph;
  for (NodeId id = 1; id < deep.size(); ++id) {
    for (Graph& region : deep.mutable_node(id).regions) {
      FUSEBOX_ASSIGN_OR_RETURN(region, RunGraphPass(pass, region));
    }
  }
  return pass.run(deep);
}

absl::StatusOr<Graph> RunGraphPasses(const Graph& graph, const PassOptions& options, std::vector<PassReport>& reports) {
  const auto dump = [&options](std::string_view stage, const Graph& now) {
    if (options.dump && !stage.empty()) options.dump(stage, Print(now));
  };
  for (const std::string& name : options.skip) {
    const auto names = GraphPasses() | std::views::transform(&GraphPass::name);
    if (std::ranges::find(names, std::string_view(name)) == names.end()) {
      return Refuse("compile: no pass '{}' to skip; there are {}", name, fmt::join(names, ", "));
    }
  }
  FUSEBOX_RETURN_IF_ERROR(Verify(graph, Stage::kDeclared));
  dump("graph", graph);
  Graph now = graph;
  for (const Step& step : kPipeline) {
    const GraphPass& pass = *step.pass;
    if (std::ranges::find(options.skip, pass.name) == options.skip.end()) {
      FUSEBOX_ASSIGN_OR_RETURN(Graph next,
                               Timed(reports, pass.name, now.size() - 1, [&] { return RunGraphPass(pass, now); }));
      reports.back().nodes_after = next.size() - 1;
      now = std::move(next);
      if (absl::Status s = Verify(now, step.stage); !s.ok()) return Refuse("after {}: {}", pass.name, Message(s));
      dump(pass.name, now);
    } else if (IsNeeded(pass, now)) {
      return Refuse("pass '{}' cannot be left out of this program", pass.name);
    }
    dump(step.dump, now);
  }
  return now;
}

}  // namespace fusebox
