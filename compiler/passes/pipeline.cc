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
  std::string_view pass;
  Stage stage = Stage::kFlat;
  std::string_view dump = {};
};

constexpr Step kPipeline[] = {
    // First: no other pass needs to know of calls.
    {"inline_calls", Stage::kDeclared},
    // Before any rewrite: only here do stop_gradient and the order of max's operands mean something.
    {"differentiate", Stage::kFlat, "gradient"},
    // After differentiate, as gradient rules write what is simple to write. cse merges what looks equal afterwards, and
    // dce drops the rest.
    {"simplify"},
    {"cse"},
    {"dce", Stage::kFlat, "simplified"},
    // One form for all reductions. Its reshapes meet others, and the second simplify cancels them.
    {"canonical_reductions"},
    {"simplify"},
    // After the last simplify, which would undo it. cse lets several products share a transposed operand.
    {"layout"},
    {"cse"},
    {"dce"},
    // Last: simplify would fold the copy of a constant, and cse would merge two copies of one value.
    {"own_memory"},
};

bool Has(Op op, const Graph& graph) {
  for (NodeId id = 1; id < graph.size(); ++id) {
    const auto has = [op](const Graph& region) { return Has(op, region); };
    if (graph[id].op == op || std::ranges::any_of(graph[id].regions, has)) return true;
  }
  return false;
}

// Whether later stages need this pass on this graph.
bool IsNeeded(std::string_view pass, const Graph& graph) {
  if (pass == "inline_calls") return Has(Op::kCall, graph);
  if (pass == "differentiate") return Has(Op::kGradient, graph);
  // The form that kernels are made from.
  return pass == "canonical_reductions" || pass == "layout" || pass == "own_memory";
}

// Runs a pass on all regions, the innermost first, and then on the graph.
template <absl::StatusOr<Graph> (*pass)(const Graph&)>
absl::StatusOr<Graph> WithItsRegions(const Graph& graph) {
  Graph deep = graph;
  for (NodeId id = 1; id < deep.size(); ++id) {
    for (Graph& region : deep.mutable_node(id).regions) {
      FUSEBOX_ASSIGN_OR_RETURN(region, WithItsRegions<pass>(region));
    }
  }
  return pass(deep);
}

const GraphPass& Find(std::string_view name) {
  const auto pass = std::ranges::find(GraphPasses(), name, [](const GraphPass& p) { return std::string_view(p.name); });
  Check(pass != GraphPasses().end(), "the pipeline names a pass that is in no table");
  return *pass;
}

}  // namespace

const std::vector<GraphPass>& GraphPasses() {
  static const std::vector<GraphPass> kPasses = {
      {"inline_calls", "replaces calls by the nodes of their regions", WithItsRegions<InlineCalls>},
      {"differentiate", "replaces gradient nodes by the derivative's symbols", WithItsRegions<Differentiate>},
      {"simplify", "applies algebra, folds constants and broadcasts", WithItsRegions<Simplify>},
      {"cse", "merges nodes that compute the same", WithItsRegions<EliminateCommonSubexpressions>},
      {"dce", "drops what no output or update needs", WithItsRegions<EliminateDeadCode>},
      {"canonical_reductions", "makes each reduction fold one run of axes", WithItsRegions<CanonicalReductions>},
      {"layout", "lays out operands of matrix products as kernels read them", WithItsRegions<ChooseLayouts>},
      {"own_memory", "copies values that need memory and have none of their own", WithItsRegions<OwnMemory>},
  };
  return kPasses;
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
    if (std::ranges::find(options.skip, step.pass) == options.skip.end()) {
      FUSEBOX_ASSIGN_OR_RETURN(
          Graph next, Timed(reports, std::string(step.pass), now.size() - 1, [&] { return Find(step.pass).run(now); }));
      reports.back().nodes_after = next.size() - 1;
      now = std::move(next);
      if (absl::Status s = Verify(now, step.stage); !s.ok()) return Refuse("after {}: {}", step.pass, Message(s));
      dump(step.pass, now);
    } else if (IsNeeded(step.pass, now)) {
      return Refuse("pass '{}' cannot be left out of this program", step.pass);
    }
    dump(step.dump, now);
  }
  return now;
}

}  // namespace fusebox
