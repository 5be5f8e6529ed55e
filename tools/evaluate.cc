// SPDX-License-Identifier: Apache-2.0
// fusebox evaluate MODEL --data D
#include <cmath>
#include <memory>

#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/printable.h"
#include "tools/command.h"
#include "tools/json_output.h"
#include "tools/table_words.h"

namespace fusebox::tools {
namespace {

struct EvaluateWords {
  std::string model, data, weights, target_cpu;
  TableWords table;
  int64_t batch_size = 32, threads = 0;
  bool json = false;
  CompileOverrides overrides;
};

absl::Status EvaluateModel(const EvaluateWords& words) {
  FUSEBOX_RETURN_IF_ERROR(CheckTargetCpu(words.target_cpu));
  FUSEBOX_ASSIGN_OR_RETURN(Model model, OpenTrainedModel(words.model, words.weights));
  // Evaluation does not use the optimizer, but compiling needs one.
  CompileOverrides overrides = words.overrides;
  const std::optional<CompileConfig>& own = model.config().compile;
  if ((!own || own->optimizer.id.empty()) && !overrides.loss.empty()) overrides.optimizer = "sgd";
  FUSEBOX_RETURN_IF_ERROR(ApplyOverrides(model, overrides, false));
  FUSEBOX_ASSIGN_OR_RETURN(const TableOptions table, OptionsFor(words.model, words.weights, words.table));
  FUSEBOX_ASSIGN_OR_RETURN(const DataArg data, LoadDataFor(model.config(), words.data, table));
  FUSEBOX_ASSIGN_OR_RETURN(
      const Logs logs,
      model.Evaluate(data.x, data.y,
                     {.batch_size = words.batch_size, .threads = words.threads, .target_cpu = words.target_cpu}));
  if (words.json) {
    nlohmann::ordered_json result;
    for (const LogValue& log : logs) result[log.name] = log.value;
    Print(JsonText(result, -1));
    return absl::OkStatus();
  }
  std::string line;
  for (const LogValue& log : logs) {
    const std::string value = std::isnan(log.value) ? "nan" : fmt::format("{:.4f}", log.value);
    line += fmt::format("{}{}: {}", line.empty() ? "" : " - ", Printable(log.name), value);
  }
  Print(line + "\n");
  return absl::OkStatus();
}

}  // namespace

void AddEvaluate(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("evaluate", "Compute loss and metrics of a trained model on data");
  const auto words = std::make_shared<EvaluateWords>();
  verb->add_option("MODEL", words->model, "A trained .keras file, or another model with --weights")->required();
  verb->add_option("--data", words->data, "As for train")->required();
  AddTableWords(verb, words->table, false);
  verb->add_option("--weights", words->weights, "Weights for a model that has none: a .weights.h5 file");
  verb->add_option("--batch-size", words->batch_size, "Samples per step")->check(AtLeast(1))->capture_default_str();
  verb->add_option("--loss", words->overrides.loss, "Instead of the model's own");
  verb->add_option("--metrics", words->overrides.metrics, "Instead of the model's own");
  verb->add_option("--threads", words->threads, "Number of threads; default: FUSEBOX_NUM_THREADS, then all cores")
      ->check(AtLeast(1));
  verb->add_flag("--json", words->json, "Print one JSON object, like Keras's evaluate(return_dict=True)");
  AddTargetCpu(verb, words->target_cpu);
  verb->callback([words, &action] { action = [words] { return EvaluateModel(*words); }; });
}

}  // namespace fusebox::tools
