// SPDX-License-Identifier: Apache-2.0
// fusebox predict MODEL --input X.npy -o Y.npy
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>

#include "fusebox/compiler/compiler.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/idx.h"
#include "fusebox/runtime/files/libsvm.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "tools/command.h"
#include "tools/table_words.h"

namespace fusebox::tools {
namespace {

struct PredictWords {
  std::string model, output, weights, target_cpu;
  std::vector<std::string> inputs;
  TableWords table;
  int64_t batch_size = 32, threads = 0;
};

// Reads the arrays under the model's input names, or all if there are none; a single .npy or table is "x".
absl::StatusOr<std::vector<NamedTensor>> ReadInputs(const PredictWords& words, const std::vector<std::string>& inputs) {
  std::vector<NamedTensor> arrays;
  for (const std::string& word : words.inputs) {
    const bool whole = std::filesystem::exists(word);  // A path may have a '=' in it.
    const size_t equals = whole ? std::string::npos : word.find('=');
    const std::string path = equals == std::string::npos ? word : word.substr(equals + 1);
    const std::string name = equals == std::string::npos ? "x" : word.substr(0, equals);
    const FileFormat* const format = FormatOfName(path);
    if (const std::string refused = WhyNotRead(path); !refused.empty()) return Refuse("{}", refused);
    if (format != nullptr && format->format == Format::kNpz && equals == std::string::npos) {
      FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> names, NpzNames(path));
      const auto is_input = [&](const std::string& of) { return std::ranges::find(inputs, of) != inputs.end(); };
      const ArrayFilter wanted = std::ranges::any_of(names, is_input) ? ArrayFilter(is_input) : nullptr;
      FUSEBOX_ASSIGN_OR_RETURN(std::vector<NamedTensor> some, ReadNpz(path, wanted));
      for (NamedTensor& array : some) arrays.push_back(std::move(array));
    } else if (format != nullptr && format->format == Format::kNpy) {
      FUSEBOX_ASSIGN_OR_RETURN(Tensor value, ReadNpy(path));
      arrays.push_back({name, std::move(value)});
    } else if (format != nullptr && (format->format == Format::kCsv || format->format == Format::kTsv)) {
      FUSEBOX_ASSIGN_OR_RETURN(const TableOptions table, OptionsFor(words.model, words.weights, words.table));
      FUSEBOX_ASSIGN_OR_RETURN(Tensor value, LoadTableInputs(path, table));
      arrays.push_back({name, std::move(value)});
    } else if (format != nullptr && (format->format == Format::kLibsvm || format->format == Format::kSvmlight)) {
      const TableOptions table = words.table.options();
      FUSEBOX_ASSIGN_OR_RETURN(LibsvmData value,
                               ReadLibsvm(path, {.features = table.features, .first_index = table.first_index}));
      arrays.push_back({name, std::move(value.x)});
    } else if (format != nullptr && format->format == Format::kIdx) {
      FUSEBOX_ASSIGN_OR_RETURN(Tensor value, ReadIdx(path));
      arrays.push_back({name, std::move(value)});
    } else {
      return Refuse("--input '{}': expected X.npy, X.npz, X.csv, X.libsvm, an IDX file or name=path.npy", word);
    }
  }
  return arrays;
}

absl::Status Predict(const PredictWords& words) {
  FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.output));
  const bool zipped = IsNamedAs(words.output, Format::kNpz);
  if (!zipped && !IsNamedAs(words.output, Format::kNpy))
    return Refuse("'{}': expected a name that ends in .npy or .npz", words.output);
  FUSEBOX_RETURN_IF_ERROR(CheckTargetCpu(words.target_cpu));
  FUSEBOX_ASSIGN_OR_RETURN(Model model, OpenTrainedModel(words.model, words.weights));
  // An archive may hold more than the inputs: targets, say.
  std::vector<std::string> inputs = InputNames(model.config());
  if (inputs.size() < 2) inputs.emplace_back("x");
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<NamedTensor> arrays, ReadInputs(words, inputs));
  const auto is_input = [&](const NamedTensor& array) { return std::ranges::find(inputs, array.name) != inputs.end(); };
  if (std::ranges::any_of(arrays, is_input)) std::erase_if(arrays, std::not_fn(is_input));

  const std::vector<std::string> outputs = OutputNames(model.config());
  if (!zipped && outputs.size() > 1) {
    return Refuse("'{}': model '{}' has the outputs {}: expected a name that ends in .npz", words.output,
                  model.config().name, QuotedNames(outputs));
  }
  // A single .npy needs no name; a model without named inputs has none to match either.
  const bool lone = arrays.size() == 1 && arrays[0].name == "x" && model.config().inputs.size() < 2;
  const PredictArgs args{.threads = words.threads, .target_cpu = words.target_cpu};
  FUSEBOX_ASSIGN_OR_RETURN(const Arrays y, model.Predict(lone ? Arrays(arrays[0].value) : Arrays(arrays), args));
  FUSEBOX_RETURN_IF_ERROR(zipped ? WriteNpz(words.output, y.named()) : WriteNpy(words.output, y[0]));
  ReportWritten(words.output);
  return absl::OkStatus();
}

}  // namespace

void AddPredict(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("predict", "Predict with a trained model");
  const auto words = std::make_shared<PredictWords>();
  verb->add_option("MODEL", words->model, "A trained .keras file, or another model with --weights")->required();
  verb->add_option("--input", words->inputs, "X.npy, X.npz, X.csv, X.libsvm, an IDX file, or name=path")
      ->required()
      ->expected(1)
      ->take_all();
  verb->add_option("-o,--output", words->output, "Y.npy, or Y.npz with an array under each output's name")->required();
  AddTableWords(verb, words->table, false);
  verb->add_option("--weights", words->weights, "Weights for a model that has none: a .weights.h5 file");
  verb->add_option("--batch-size", words->batch_size, "Accepted as in Keras; has no effect")
      ->check(AtLeast(1))
      ->capture_default_str();
  verb->add_option("--threads", words->threads, "Number of threads; default: FUSEBOX_NUM_THREADS, then all cores")
      ->check(AtLeast(1));
  AddTargetCpu(verb, words->target_cpu);
  verb->callback([words, &action] { action = [words] { return Predict(*words); }; });
}

}  // namespace fusebox::tools
