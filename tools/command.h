// SPDX-License-Identifier: Apache-2.0
// The `fusebox` command. tools/ sees all other rooms; no room sees tools/. Each verb has its own file, which defines
//
//   void AddTrain(CLI::App& app, Action& action);    // Adds the verb, which sets `action` when it is chosen.
//
// and a line in verbs.inc. This header declares what the verbs share.
//
//   exit 0   success
//   exit 1   wrong file, model or data: "fusebox: error: ..." on stderr
//   exit 2   usage error: an unknown or missing verb or option, a number out of range
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

// The work of the chosen verb, run after all arguments are parsed.
using Action = std::function<absl::Status()>;

// ---- Arguments.

// Checks for CLI::Option::check: an integer of at least `low`; a number from 0 to 1.
CLI::Validator AtLeast(int64_t low);
CLI::Validator Fraction();
// Adds --target-cpu. CheckTargetCpu checks whether the CPU exists.
void AddTargetCpu(CLI::App* verb, std::string& target_cpu);
// "a,b:k=v,l=w,c" -> "a", "b:k=v,l=w", "c": a comma ends an item unless key=value follows.
std::vector<std::string> SplitItems(std::string_view text);
// "sgd:learning_rate=0.1", or Keras's JSON.
absl::StatusOr<ItemSpec> ParseItem(const std::string& text);

// ---- Models.

struct OpenedModel {
  Model model;
  bool has_weights = false;  // True for a .keras file; programs and models in C++ have none.
};
// Opens a .keras, .h5 or .fbg file, path.so, path.so:name, or the id of an installed model, with attributes if it takes
// any: "my_model:width=3". Initial weights, if there are none, come from the seed.
absl::StatusOr<OpenedModel> OpenModel(const std::string& reference, std::optional<int64_t> seed = {});
// The symbols of one of its programs: "training", "evaluation" or "prediction"; "" is training if the model is
// compiled, otherwise prediction. The data x have the given dtype ("u8"), or by default that of the model's input. A
// .fbg file holds one program, of any kind.
absl::StatusOr<Graph> ProgramOf(const std::string& reference, const std::string& which, const std::string& x_dtype);
// Adds the options that choose a program.
void AddProgramOptions(CLI::App& verb, std::string& which, std::string& x_dtype);
// Opens a model that must have weights: its own, or those of `weights`, a .weights.h5 file, unless it is empty.
absl::StatusOr<Model> OpenTrainedModel(const std::string& reference, const std::string& weights);

// Changes by --optimizer, --loss and --metrics to the model's own settings.
struct CompileOverrides {
  std::string optimizer, loss, metrics;
};
absl::Status ApplyOverrides(Model& model, const CompileOverrides& overrides, bool trains);

// ---- Output.

// Prints lines on stdout, with what no terminal should be sent escaped (graph/printable.h).
void Print(std::string_view text);
// Prints bytes as they are, for a file: an object file.
void PrintBytes(std::string_view bytes);
// Says on stderr, as the last thing a verb does, which file it has written: "wrote model.png".
void ReportWritten(const std::string& path);

}  // namespace fusebox::tools
