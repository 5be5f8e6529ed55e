// SPDX-License-Identifier: Apache-2.0
// The `fusebox` command. tools/ sees everything; nobody sees tools/. One file a verb, which defines
//
//   void AddTrain(CLI::App& app, Action& action);    // Adds the verb, which sets `action` when it is chosen.
//
// and has a line in verbs.inc. This is what they share.
//
//   exit 0   done
//   exit 1   a file, a model or data were wrong: "fusebox: error: ..." on stderr
//   exit 2   the words were wrong: an unknown verb or option, a missing one, a number out of range
//   exit 130, 143   ended by SIGINT, SIGTERM
//
// Progress goes to stderr, results to stdout.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/status.h"

namespace fusebox::tools {

// Runs the command and returns its exit code.
int RunCommand(int argc, const char* const* argv);

// What the chosen verb does once all words are read.
using Action = std::function<absl::Status()>;

// ---- Words.

// An integer from `low` on; from 0 to 1. For CLI::Option::check.
CLI::Validator AtLeast(int64_t low);
CLI::Validator Fraction();
// --target-cpu. Whether there is such a one is for CheckTargetCpu to say.
void AddTargetCpu(CLI::App* verb, std::string& target_cpu);
// "a,b:k=v,l=w,c" -> "a", "b:k=v,l=w", "c": a comma ends an item unless key=value follows.
std::vector<std::string> SplitItems(std::string_view text);
// "sgd:learning_rate=0.1", or Keras's JSON.
absl::StatusOr<ItemSpec> ParseItem(const std::string& text);

// ---- Models.

struct OpenedModel {
  Model model;
  bool has_weights = false;  // A .keras file has; a program or a model in C++ has none.
};
// A .keras, .h5 or .fbg file, path.so, path.so:name, or the id of an installed model, with attributes if it takes some:
// "my_model:width=3". First weights, where there are none, come from the seed.
absl::StatusOr<OpenedModel> OpenModel(const std::string& reference, std::optional<int64_t> seed = {});
// The symbols of one of its programs: "training", "evaluation", "prediction"; "" is training if the model is compiled,
// else prediction. It is for data x of the dtype named ("u8"), or else of the model's input's own. A .fbg file may hold
// any program, and is that.
absl::StatusOr<Graph> ProgramOf(const std::string& reference, const std::string& which, const std::string& x_dtype);
// Adds the options that choose one.
void AddProgramOptions(CLI::App& verb, std::string& which, std::string& x_dtype);
// For those that need weights: from `weights`, a .weights.h5 file, unless it is empty.
absl::StatusOr<Model> OpenTrainedModel(const std::string& reference, const std::string& weights);

// What the options --optimizer, --loss and --metrics change of the model's own settings.
struct CompileOverrides {
  std::string optimizer, loss, metrics;
};
absl::Status ApplyOverrides(Model& model, const CompileOverrides& overrides);

// ---- Output.

void Print(std::string_view text);  // To stdout.

}  // namespace fusebox::tools
