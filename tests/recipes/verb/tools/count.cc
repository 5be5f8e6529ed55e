// SPDX-License-Identifier: Apache-2.0
// fusebox count FILE.fbg
#include <memory>

#include "fusebox/graph/text.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "tools/command.h"

namespace fusebox::tools {
namespace {

struct CountWords {
  std::string file;
};

absl::Status Count(const CountWords& words) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(words.file));
  const absl::StatusOr<Graph> graph = fusebox::Parse(text);
  if (!graph.ok()) return Refuse("'{}': {}", words.file, Message(graph.status()));
  Print(fmt::format("{} nodes\n", graph->size() - 1));
  return absl::OkStatus();
}

}  // namespace

void AddCount(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("count", "Count the nodes of a program's text");
  const auto words = std::make_shared<CountWords>();
  verb->add_option("FILE", words->file, "A .fbg file")->required();
  verb->callback([words, &action] { action = [words] { return Count(*words); }; });
}

}  // namespace fusebox::tools
