// SPDX-License-Identifier: Apache-2.0
// fusebox opt FILE.fbg --passes=a,b
#include <algorithm>
#include <memory>

#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/plugins/nearest.h"
#include "tools/command.h"

namespace fusebox::tools {
namespace {

struct OptWords {
  std::string file, passes, output;
  bool list = false;
};

absl::Status Optimise(const OptWords& words) {
  if (words.list) {
    for (const GraphPass& pass : GraphPasses()) Print(fmt::format("{:<24}{}\n", pass.name, pass.what));
    return absl::OkStatus();
  }
  if (!words.output.empty()) FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.output));
  std::vector<const GraphPass*> passes;
  for (const std::string& name : SplitItems(words.passes)) {
    const auto it = std::ranges::find_if(GraphPasses(), [&](const GraphPass& p) { return p.name == name; });
    if (it == GraphPasses().end()) {
      std::vector<std::string> known;
      for (const GraphPass& pass : GraphPasses()) known.emplace_back(pass.name);
      return Refuse("unknown pass '{}': {}", name, SuggestNames(name, known));
    }
    passes.push_back(&*it);
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(words.file));
  absl::StatusOr<Graph> graph = fusebox::Parse(text);
  if (graph.ok()) {
    if (const absl::Status status = Verify(*graph, Stage::kDeclared); !status.ok()) graph = status;
  }
  if (!graph.ok()) return Refuse("'{}': {}", words.file, Message(graph.status()));
  for (const GraphPass* pass : passes) {
    graph = RunGraphPass(*pass, *graph);
    if (!graph.ok()) return Refuse("'{}': pass {}: {}", words.file, pass->name, Message(graph.status()));
  }
  const std::string result = fusebox::Print(*graph);
  if (words.output.empty()) {
    Print(result);
    return absl::OkStatus();
  }
  FUSEBOX_RETURN_IF_ERROR(WriteFileAtomically(words.output, result));
  ReportWritten(words.output);
  return absl::OkStatus();
}

}  // namespace

void AddOpt(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("opt", "Run compiler passes over the text of a program");
  const auto words = std::make_shared<OptWords>();
  CLI::Option* file = verb->add_option("FILE", words->file, "A .fbg file");
  verb->add_option("--passes", words->passes, "Passes to run, in this order, separated by ','");
  verb->add_flag("--list", words->list, "List the passes");
  verb->add_option("-o,--output", words->output, ".fbg file to write, instead of stdout");
  verb->callback([words, file, &action] {
    if (!words->list && file->count() == 0) throw CLI::RequiredError("FILE");
    action = [words] { return Optimise(*words); };
  });
}

}  // namespace fusebox::tools
