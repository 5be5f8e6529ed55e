// SPDX-License-Identifier: Apache-2.0
// Interprets the argument MODEL.
#include <algorithm>

#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/foreign_models.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/keras/program_facts.h"
#include "fusebox/runtime/plugins/objects.h"
#include "tools/command.h"

namespace fusebox::tools {
namespace {

absl::StatusOr<Model> FromProgram(const std::string& path, std::optional<int64_t> seed) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  const auto in_context = [&](const absl::Status& status) { return Refuse("'{}': {}", path, Message(status)); };
  const absl::StatusOr<Graph> program = Parse(text);
  if (!program.ok()) return in_context(program.status());
  const absl::StatusOr<ModelConfig> config = ReadFacts(*program);
  if (!config.ok()) return in_context(config.status());
  const absl::StatusOr<Expansions> embedded = ReadExpansions(*program);
  if (!embedded.ok()) return in_context(embedded.status());
  absl::StatusOr<Model> model = Model::FromConfig(*config, *embedded, seed);
  if (!model.ok()) return in_context(model.status());
  return model;
}

absl::StatusOr<Model> FromLibrary(const std::string& reference, std::optional<int64_t> seed) {
  std::string name = reference;
  ItemAttributes attributes;
  if (reference.find('=') != std::string::npos && reference.find(".so") == std::string::npos) {
    FUSEBOX_ASSIGN_OR_RETURN(ItemSpec spec, ParseItemSpec(reference));
    name = std::move(spec.id);
    attributes = std::move(spec.attributes);
  }
  FUSEBOX_ASSIGN_OR_RETURN(const ModelBytes bytes, BuildModel(Registry::Default(), name, attributes, HeadersId()));
  return ModelFromText(bytes.config, fmt::format("'{}'", name), seed);
}

}  // namespace

absl::StatusOr<OpenedModel> OpenModel(const std::string& reference, std::optional<int64_t> seed) {
  const FileFormat* const format = FormatOfName(reference);
  if (format != nullptr && format->Reads(kModel | kWeights)) {
    FUSEBOX_ASSIGN_OR_RETURN(Model model, LoadModel(reference));
    return OpenedModel{std::move(model), true};
  }
  if (IsNamedAs(reference, Format::kKerasWeights) || IsNamedAs(reference, Format::kOnnx)) {
    return Refuse(
        "'{}': expected a .keras, .h5 or .fbg file or a model in C++; {}", reference,
        format->format == Format::kKerasWeights ? "this file holds only weights" : ".onnx cannot be read yet");
  }
  if (IsNamedAs(reference, Format::kProgram)) {
    FUSEBOX_ASSIGN_OR_RETURN(Model model, FromProgram(reference, seed));
    return OpenedModel{std::move(model), false};
  }
  FUSEBOX_RETURN_IF_ERROR(RefuseForeignModel(reference));
  FUSEBOX_ASSIGN_OR_RETURN(Model model, FromLibrary(reference, seed));
  return OpenedModel{std::move(model), false};
}

absl::StatusOr<Graph> ProgramOf(const std::string& reference, const std::string& which, const std::string& x_dtype) {
  if (IsNamedAs(reference, Format::kProgram)) {
    if (!x_dtype.empty())
      return Refuse("'{}': a program fixes the dtype of its data: --x-dtype is for models", reference);
    FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(reference));
    absl::StatusOr<Graph> graph = fusebox::Parse(text);
    if (!graph.ok()) return Refuse("'{}': {}", reference, Message(graph.status()));
    return graph;
  }
  FUSEBOX_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(reference));
  const bool compiled = opened.model.config().compile.has_value();
  const std::string kind = !which.empty() ? which : compiled ? "training" : "prediction";
  if (which.empty() && compiled && opened.has_weights) {
    absl::StatusOr<Graph> training = opened.model.Program(ProgramKind::kTraining, DTypeFromName(x_dtype));
    if (training.ok()) return training;
    absl::StatusOr<Graph> prediction = opened.model.Program(ProgramKind::kPrediction, DTypeFromName(x_dtype));
    if (!prediction.ok()) return prediction;
    PrintError("The program of prediction, as there is none of training: " + Message(training.status()));
    return prediction;
  }
  return opened.model.Program(kind == "training"     ? ProgramKind::kTraining
                              : kind == "evaluation" ? ProgramKind::kEvaluation
                                                     : ProgramKind::kPrediction,
                              DTypeFromName(x_dtype));
}

void AddProgramOptions(CLI::App& verb, std::string& which, std::string& x_dtype) {
  verb.add_option("--program", which, "Program of the model; default: training if it is compiled")
      ->check(CLI::IsMember({"training", "evaluation", "prediction"}));
  verb.add_option("--x-dtype", x_dtype, "Dtype of the data x; default: that of the model's input")
      ->check(CLI::IsMember({"f32", "f64", "i32", "i64", "u8", "bool"}));
}

absl::StatusOr<Model> OpenTrainedModel(const std::string& reference, const std::string& weights) {
  FUSEBOX_ASSIGN_OR_RETURN(OpenedModel opened, OpenModel(reference));
  if (!weights.empty()) {
    FUSEBOX_RETURN_IF_ERROR(opened.model.LoadWeights(weights));
  } else if (!opened.has_weights) {
    return Refuse("'{}' has no weights: give them with --weights FILE.weights.h5, or name a trained .keras file",
                  reference);
  }
  return std::move(opened.model);
}

absl::Status ApplyOverrides(Model& model, const CompileOverrides& overrides, bool trains) {
  const ProgramKind needed = trains ? ProgramKind::kTraining : ProgramKind::kEvaluation;
  const std::optional<CompileConfig>& own = model.config().compile;
  if (overrides.optimizer.empty() && overrides.loss.empty() && overrides.metrics.empty()) {
    if (own) return CheckUsable(needed, model.config());
    return Refuse("model '{}' is not compiled: give --loss and --optimizer", model.config().name);
  }
  CompileArgs args{.keep_optimizer_state = overrides.optimizer.empty()};
  ItemSpec optimizer = own ? own->optimizer : ItemSpec{};
  if (!overrides.optimizer.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(optimizer, ParseItem(overrides.optimizer));
  }
  const std::vector<OutputLoss> outputs = LossesOf(model.config());
  for (const OutputLoss& output : outputs) {
    if (output.HasLoss()) args.loss.named.emplace_back(output.output, output.loss);
    if (output.weight) args.loss_weights.named.emplace_back(output.output, *output.weight);
    if (!output.metrics.empty()) {
      args.metrics.named.emplace_back(output.output,
                                      std::vector<ItemArg>(output.metrics.begin(), output.metrics.end()));
    }
    if (!output.weighted_metrics.empty()) {
      args.weighted_metrics.named.emplace_back(
          output.output, std::vector<ItemArg>(output.weighted_metrics.begin(), output.weighted_metrics.end()));
    }
  }
  if (!overrides.loss.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(ItemSpec loss, ParseItem(overrides.loss));
    args.loss = LossArg(std::move(loss));
  } else if (std::ranges::none_of(outputs, &OutputLoss::HasLoss) && !AddsLosses(model.config())) {
    return Refuse("model '{}' has no loss: give --loss", model.config().name);
  }
  if (!overrides.metrics.empty()) {
    args.metrics = MetricsArg();
    args.weighted_metrics = MetricsArg();
    for (const std::string& metric : SplitItems(overrides.metrics)) {
      FUSEBOX_ASSIGN_OR_RETURN(ItemSpec item, ParseItem(metric));
      args.metrics.list.emplace_back(std::move(item));
    }
  }
  if (optimizer.id.empty()) return Refuse("model '{}' has no optimizer: give --optimizer", model.config().name);
  args.optimizer = std::move(optimizer);
  FUSEBOX_RETURN_IF_ERROR(model.Compile(std::move(args)));
  return CheckUsable(needed, model.config());
}

}  // namespace fusebox::tools
