// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/passes/pipeline.h"

#include <algorithm>
#include <chrono>
#include <ranges>

#include "fusebox/compiler/passes/canonical_reductions.h"
#include "fusebox/compiler/passes/cse.h"
#include "fusebox/compiler/passes/dce.h"
#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/compiler/passes/inline_calls.h"
#include "fusebox/compiler/passes/layout.h"
#include "fusebox/compiler/passes/simplify.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"

namespace fusebox {
namespace {

// One line of the pipeline: a pass, what the graph has become after it, and the stage that ends with it.
struct Step {
  std::string_view pass;
  Stage stage = Stage::kFlat;
  std::string_view dump = {};
};

constexpr Step kPipeline[] = {
    // Calls go first: no other pass need know of them. All passes run in the regions of branches and loops, too.
    {"inline_calls", Stage::kDeclared},
    // Before any rewrite: stop_gradient, and which operand of max comes first, mean something only here.
    {"differentiate", Stage::kFlat, "gradient"},
    // Gradient rules write what is simple to write. What looks equal afterwards is merged, and the rest forgotten.
    {"simplify"},
    {"cse"},
    {"dce", Stage::kFlat, "simplified"},
    // One form for all reductions. The reshapes that it leaves behind meet others, and cancel.
    {"canonical_reductions"},
    {"simplify"},
    // After the last simplify, which would undo it. Several products may share a transposed operand.
    {"layout"},
    {"cse"},
    {"dce"},
};

bool Has(Op op, const Graph& graph) {
  for (NodeId id = 1; id < graph.size(); ++id) {
    const auto has = [op](const Graph& region) { return Has(op, region); };
    if (graph[id].op == op || std::ranges::any_of(graph[id].regions, has)) return true;
  }
  return false;
}

// Whether later stages cannot do without this pass on this graph.
bool IsNeeded(std::string_view pass, const Graph& graph) {
  if (pass == "inline_calls") return Has(Op::kCall, graph);
  if (pass == "differentiate") return Has(Op::kGradient, graph);
  return pass == "canonical_reductions" || pass == "layout";  // The form that kernels are made from.
}

// A pass on all regions, the innermost first, and then on the graph.
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
  };
  return kPasses;
}

absl::StatusOr<Graph> RunGraphPasses(const Graph& graph, const CompileOptions& options, CompileReport& report) {
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
      const auto start = std::chrono::steady_clock::now();
      FUSEBOX_ASSIGN_OR_RETURN(Graph next, Find(step.pass).run(now));
      const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
      report.passes.push_back({std::string(step.pass), spent.count(), now.size() - 1, next.size() - 1});
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
