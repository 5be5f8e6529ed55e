// SPDX-License-Identifier: Apache-2.0
// fusebox train MODEL --data D ... -o out.keras
#include <filesystem>
#include <memory>

#include "fusebox/compiler/compiler.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/history_csv.h"
#include "tools/command.h"
#include "tools/table_words.h"

namespace fusebox::tools {
namespace {

struct TrainWords {
  std::string model, data, validation_data, output, history, weights, target_cpu;
  TableWords table;
  double validation_split = 0;
  int64_t epochs = 1, batch_size = 32, threads = 0, verbose = 1;
  std::optional<int64_t> seed;
  bool no_shuffle = false;
  CompileOverrides overrides;
  std::vector<std::string> callbacks;
};

bool IsWeightsFile(const std::string& path) { return IsNamedAs(path, Format::kKerasWeights); }

// Checks before hours of training, not after them.
absl::Status CheckOutput(const std::string& path, const ModelConfig& model) {
  if (IsWeightsFile(path) || (!AddsLosses(model) && AddedMetricNames(model).empty())) return absl::OkStatus();
  return Refuse(
      "'{}': model '{}' has what AddLoss or AddMetric has added, which no .keras file can hold: expected a name that "
      "ends in .weights.h5",
      path, model.name);
}

// Whether both name one file, which need not be there yet.
bool IsSamePath(const std::string& a, const std::string& b) {
  std::error_code error;
  return std::filesystem::weakly_canonical(a, error) == std::filesystem::weakly_canonical(b, error);
}

// The history is not to replace another file of this training.
absl::Status CheckHistory(const TrainWords& words) {
  if (words.history.empty()) return absl::OkStatus();
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.history));
  const std::pair<const char*, const std::string*> others[] = {{"-o", &words.output},
                                                               {"MODEL", &words.model},
                                                               {"--data", &words.data},
                                                               {"--validation-data", &words.validation_data},
                                                               {"--weights", &words.weights}};
  for (const auto& [option, path] : others) {
    if (!path->empty() && IsSamePath(words.history, *path))
      return Refuse("--history expects a file of its own, got '{}', which is that of {} too", words.history, option);
  }
  return absl::OkStatus();
}

absl::Status Train(const TrainWords& words) {
  // Checks everything that may be wrong first: paths, then the model, then the data.
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.output));
  FUSEBOX_RETURN_IF_ERROR(CheckHistory(words));
  FUSEBOX_RETURN_IF_ERROR(CheckTargetCpu(words.target_cpu));
  if (const FileFormat* format = FormatOfName(words.output); format == nullptr || !format->Writes(kWeights))
    return Refuse("'{}': expected a name that ends in .keras or .weights.h5", words.output);
  FUSEBOX_ASSIGN_OR_RETURN(OpenedModel opened, OpenModel(words.model, words.seed));
  Model& model = opened.model;
  FUSEBOX_RETURN_IF_ERROR(CheckOutput(words.output, model.config()));
  FUSEBOX_RETURN_IF_ERROR(ApplyOverrides(model, words.overrides, true));
  if (!words.weights.empty()) FUSEBOX_RETURN_IF_ERROR(model.LoadWeights(words.weights));

  FitArgs args{.epochs = words.epochs,
               .batch_size = words.batch_size,
               .validation_split = words.validation_split,
               .shuffle = !words.no_shuffle,
               .seed = words.seed,
               .threads = words.threads,
               .verbose = words.verbose,
               .target_cpu = words.target_cpu};
  for (const std::string& callback : words.callbacks) {
    FUSEBOX_ASSIGN_OR_RETURN(const ItemSpec spec, ParseItem(callback));
    args.callbacks.push_back(spec);
  }
  // Validation data are read as the training data are, and those as what the model was trained on before.
  FUSEBOX_ASSIGN_OR_RETURN(const TableOptions table, OptionsFor(words.model, words.weights, words.table));
  FUSEBOX_ASSIGN_OR_RETURN(const DataArg data, LoadDataFor(model.config(), words.data, table));
  if (!words.validation_data.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(args.validation_data, LoadDataFor(model.config(), words.validation_data, table));
  }
  if (table.encoding->is_needed()) FUSEBOX_RETURN_IF_ERROR(CheckWritable(EncodingPath(words.output)));
  FUSEBOX_ASSIGN_OR_RETURN(const History history, model.Fit(data.x, data.y, std::move(args)));
  FUSEBOX_RETURN_IF_ERROR(IsWeightsFile(words.output) ? model.SaveWeights(words.output) : model.Save(words.output));
  FUSEBOX_RETURN_IF_ERROR(SaveEncoding(words.output, *table.encoding));
  if (!words.history.empty()) {
    std::vector<HistoryColumn> columns;
    for (const auto& [name, values] : history.values) columns.push_back({name, values});
    FUSEBOX_RETURN_IF_ERROR(WriteHistoryCsv(words.history, std::move(columns)));
  }
  KeepWorkOnSignals(false);
  if (words.verbose == 0) return absl::OkStatus();
  ReportWritten(words.output);
  if (table.encoding->is_needed()) ReportWritten(EncodingPath(words.output));
  if (!words.history.empty()) ReportWritten(words.history);
  return absl::OkStatus();
}

}  // namespace

void AddTrain(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("train", "Train a model and save it");
  const auto words = std::make_shared<TrainWords>();
  verb->add_option("MODEL", words->model,
                   "A .keras, .h5 or .fbg file, path.so, path.so:name, or an installed model's id")
      ->required();
  verb->add_option("--data", words->data,
                   "Training data: a data set, an .npz, a .csv, a .libsvm, two .npy or two IDX files separated by ','")
      ->required();
  CLI::Option* validation =
      verb->add_option("--validation-data", words->validation_data, "Data for validation after each epoch");
  verb->add_option("--validation-split", words->validation_split, "Use this last fraction of the data for validation")
      ->check(Fraction())
      ->excludes(validation);
  AddTableWords(verb, words->table, true);
  verb->add_option("--epochs", words->epochs, "Number of passes over the data")
      ->check(AtLeast(1))
      ->capture_default_str();
  verb->add_option("--batch-size", words->batch_size, "Samples per step")->check(AtLeast(1))->capture_default_str();
  verb->add_option("--optimizer", words->overrides.optimizer, "Optimizer: name, name:key=value,... or Keras's JSON");
  verb->add_option("--loss", words->overrides.loss, "Loss, in the same form");
  verb->add_option("--metrics", words->overrides.metrics, "Metrics in the same form, separated by ','");
  verb->add_option("--seed", words->seed, "Seed of initial weights, shuffling and random layers");
  verb->add_flag("--no-shuffle", words->no_shuffle, "Keep the samples in their order");
  verb->add_option("--callback", words->callbacks, "Callback: name or name:key=value,...; may be given several times")
      ->expected(1)
      ->take_all();
  verb->add_option("--weights", words->weights, "Initial weights: a .weights.h5 file");
  verb->add_option("--threads", words->threads, "Number of threads; default: FUSEBOX_NUM_THREADS, then all cores")
      ->check(AtLeast(1));
  verb->add_option("--verbose", words->verbose, "0: nothing, 1: a progress bar, 2: one line per epoch")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  verb->add_option("-o,--output", words->output, ".keras file to write, or .weights.h5 file for the weights only")
      ->required();
  verb->add_option("--history", words->history, "CSV file to write, with loss and metrics of each epoch");
  AddTargetCpu(verb, words->target_cpu);
  verb->callback([words, &action] { action = [words] { return Train(*words); }; });
}

}  // namespace fusebox::tools
