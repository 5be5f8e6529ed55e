// SPDX-License-Identifier: Apache-2.0
// fusebox dump MODEL --emit=STAGE
#include <algorithm>
#include <array>
#include <memory>

#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/plugins/nearest.h"
#include "nlohmann/json.hpp"
#include "tools/command.h"
#include "tools/json_output.h"

namespace fusebox::tools {
namespace {

constexpr std::array kStages = {"graph", "gradient", "simplified", "fused", "plan", "schedule",
                                "llvm",  "asm",      "object",     "dot",   "json"};

struct DumpWords {
  std::string model, emit = "graph", program, x_dtype, print_after, target_cpu;
  int64_t batch_size = 32;
  bool pass_timings = false;
};

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// The symbols as a diagram: one box per node, one arrow per use.
std::string GraphDot(const Graph& graph) {
  const std::vector<std::string> names = ValueNames(graph);
  std::string text = "digraph program {\n  node [shape=box, fontname=Helvetica];\n";
  for (NodeId i = 1; i < graph.size(); ++i) {
    text += fmt::format("  n{} [label={}];\n", i,
                        Quoted(fmt::format("{} {}  {}", names[i], graph[i].info().name, ToString(graph[i].type))));
    for (const NodeId input : graph[i].inputs) text += fmt::format("  n{} -> n{};\n", input, i);
  }
  for (const Graph::Output& output : graph.outputs()) {
    text +=
        fmt::format("  {} [shape=ellipse];\n  n{} -> {};\n", Quoted(output.name), output.value, Quoted(output.name));
  }
  for (const Graph::Update& update : graph.updates()) {
    text += fmt::format("  n{} -> n{} [style=dashed];\n", update.value, update.state);
  }
  return text + "}\n";
}

std::string GraphJson(const Graph& graph) {
  using Json = nlohmann::ordered_json;
  const std::vector<std::string> names = ValueNames(graph);
  Json nodes = Json::array(), outputs = Json::array(), updates = Json::array();
  for (NodeId i = 1; i < graph.size(); ++i) {
    Json node = {{"name", names[i]}, {"op", graph[i].info().name}, {"type", ToString(graph[i].type)}};
    for (const NodeId input : graph[i].inputs) node["inputs"].push_back(names[input]);
    for (const auto& [key, value] : graph[i].attributes) {
      std::visit([&, &name = key](const auto& v) { node["attributes"][name] = v; }, value);
    }
    if (!graph[i].scope.empty()) node["scope"] = graph[i].scope;
    nodes.push_back(std::move(node));
  }
  for (const Graph::Output& output : graph.outputs())
    outputs.push_back({{"name", output.name}, {"value", names[output.value]}});
  for (const Graph::Update& update : graph.updates()) {
    updates.push_back({{"state", names[update.state]}, {"value", names[update.value]}});
  }
  return JsonText({{"metadata", graph.metadata}, {"nodes", nodes}, {"outputs", outputs}, {"updates", updates}});
}

std::string PassTable(const CompileReport& report) {
  std::string text = fmt::format("{:<28}{:>10}{:>10}{:>10}\n", "pass", "ms", "before", "after");
  for (const PassReport& pass : report.passes) {
    text +=
        fmt::format("{:<28}{:>10.3f}{:>10}{:>10}\n", pass.name, pass.milliseconds, pass.nodes_before, pass.nodes_after);
  }
  return text + fmt::format("{:<28}{:>10.3f}\n", "all", report.milliseconds);
}

absl::Status Dump(const DumpWords& words) {
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, ProgramOf(words.model, words.program, words.x_dtype));
  const bool as_declared = words.emit == "graph" || words.emit == "dot" || words.emit == "json";
  if (as_declared && words.print_after.empty() && !words.pass_timings) {
    Print(words.emit == "dot"    ? GraphDot(program)
          : words.emit == "json" ? GraphJson(program)
                                 : fusebox::Print(program));
    return absl::OkStatus();
  }
  const std::string wanted = words.print_after.empty() ? words.emit : words.print_after;
  std::optional<std::string> found;
  std::vector<std::string> stages;
  CompileOptions options;
  options.row_capacity = words.batch_size;
  options.target_cpu = words.target_cpu;
  options.link = false;  // The code is only shown, and may be for any machine.
  options.dump = [&](std::string_view stage, const std::string& text) {
    stages.emplace_back(stage);
    if (stage == wanted) found = text;
  };
  const absl::StatusOr<Executable> executable = Compile(program, options);
  // A stage that was reached is shown even if a later one fails. The error is reported, too.
  const bool want_text = !words.print_after.empty() || !words.pass_timings;
  if (want_text && found) words.emit == "object" ? PrintBytes(*found) : Print(*found);
  FUSEBOX_RETURN_IF_ERROR(executable.status());
  if (want_text && !found) return Refuse("no pass or stage is named '{}': {}", wanted, SuggestNames(wanted, stages));
  if (words.pass_timings) Print(PassTable(executable->report()));
  return absl::OkStatus();
}

}  // namespace

void AddDump(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("dump", "Show a model after a stage of the compiler");
  const auto words = std::make_shared<DumpWords>();
  verb->add_option("MODEL", words->model, "As for train; a .fbg file may hold any program")->required();
  verb->add_option("--emit", words->emit, "Stage to show; 'object' is a relocatable ELF file, for '> model.o'")
      ->check(CLI::IsMember(std::vector<std::string>(kStages.begin(), kStages.end())))
      ->capture_default_str();
  AddProgramOptions(*verb, words->program, words->x_dtype);
  verb->add_option("--print-after", words->print_after, "Show the program after this pass instead");
  verb->add_flag("--pass-timings", words->pass_timings, "Show the time of each pass, and the number of nodes after it");
  verb->add_option("--batch-size", words->batch_size, "Largest batch to compile for")
      ->check(AtLeast(1))
      ->capture_default_str();
  AddTargetCpu(verb, words->target_cpu);
  verb->callback([words, &action] { action = [words] { return Dump(*words); }; });
}

}  // namespace fusebox::tools
