// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/program_facts.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/plugins/registry.h"
#include "fusebox/runtime/programs/program.h"

namespace fusebox {
namespace {

// Writes down which libraries the model's items come from.
void WritePlugins(const std::vector<std::pair<uint32_t, std::string>>& items, Graph& program) {
  for (const auto& [kind, id] : items) {
    const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(kind, id);
    if (item.ok()) program.metadata["plugin." + (*item)->library->id] = (*item)->library->version;
  }
}

// "f32[28,28]": a type whose dimensions are numbers.
std::optional<Type> ParseFixedType(std::string_view text) {
  const size_t bracket = text.find('[');
  if (bracket == std::string_view::npos || !text.ends_with(']')) return std::nullopt;
  const std::optional<DType> dtype = DTypeFromName(text.substr(0, bracket));
  if (!dtype) return std::nullopt;
  Type type{*dtype, {}};
  std::string_view dims = text.substr(bracket + 1, text.size() - bracket - 2);
  while (!dims.empty()) {
    const std::string_view one = dims.substr(0, dims.find(','));
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), dim);
    if (error != std::errc() || end != one.data() + one.size() || dim < 0) return std::nullopt;
    type.shape.push_back(dim);
    dims.remove_prefix(std::min(dims.size(), one.size() + 1));
  }
  return type;
}

// In front of the path of a layer that stands at several places: "shared.B/dense" is "A/dense".
const std::string kShared = "shared.";

// Whether all compile settings can be used. Others are kept as JSON.
bool AllUsable(const ModelConfig& model) { return CheckUsable(ProgramKind::kTraining, model).ok(); }

// Whether a list of layers, one loss and a list of metrics describe the whole model.
bool IsPlain(const ModelConfig& model) {
  const bool within =
      std::ranges::any_of(model.layers, [](const LayerConfig& layer) { return layer.model != nullptr; });
  return model.IsStack() && !within && (!model.compile || (model.compile->outputs.empty() && AllUsable(model)));
}

void WriteStack(const ModelConfig& model, Graph& program) {
  if (!model.inputs.empty()) {
    const InputConfig& input = model.inputs[0];
    program.metadata["input"] = fmt::format("{} {}", input.name, ToString(Type{input.dtype, input.shape}));
  }
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const LayerConfig& layer = model.layers[i];
    program.metadata[fmt::format("{}.{:03}.{}", layer.trainable ? "layer" : "frozen", i, layer.name)] =
        Print(layer.item);
  }
  if (!model.compile) return;
  program.metadata["optimizer"] = Print(model.compile->optimizer);
  program.metadata["loss"] = Print(model.compile->loss);
  for (size_t i = 0; i < model.compile->metrics.size(); ++i) {
    program.metadata[fmt::format("metric.{:03}", i)] = Print(model.compile->metrics[i]);
  }
  for (size_t i = 0; i < model.compile->weighted_metrics.size(); ++i) {
    program.metadata[fmt::format("weighted_metric.{:03}", i)] = Print(model.compile->weighted_metrics[i]);
  }
}

}  // namespace

void WriteFacts(const ModelConfig& model, Graph& program) {
  program.metadata["model"] = model.name;
  if (IsPlain(model)) {
    WriteStack(model, program);
  } else {
    program.metadata["config"] = KerasConfigJson(model);
    for (const auto& [path, first] : SharedPaths(model)) program.metadata[kShared + path] = first;
  }
  std::vector<std::pair<uint32_t, std::string>> items;
  for (const LeafLayer& leaf : LeafLayers(model)) items.emplace_back(FB_LAYER, leaf.layer->item.id);
  if (model.compile) items.emplace_back(FB_OPTIMIZER, model.compile->optimizer.id);
  for (const OutputLoss& output : LossesOf(model)) {
    items.emplace_back(FB_LOSS, output.loss.id);
    for (const ItemSpec& metric : output.metrics) items.emplace_back(FB_METRIC, metric.id);
    for (const ItemSpec& metric : output.weighted_metrics) items.emplace_back(FB_METRIC, metric.id);
  }
  WritePlugins(items, program);
}

absl::StatusOr<ModelConfig> ReadFacts(const Graph& program) {
  if (const auto config = program.metadata.find("config"); config != program.metadata.end()) {
    FUSEBOX_ASSIGN_OR_RETURN(ModelConfig model, ParseKerasConfig(config->second, "program: config"));
    std::map<std::string, std::string> shared;
    for (const auto& [key, value] : program.metadata) {
      if (key.starts_with(kShared)) shared[key.substr(kShared.size())] = value;
    }
    FUSEBOX_RETURN_IF_ERROR(ShareLayers(shared, model));
    return model;
  }
  ModelConfig model;
  CompileConfig compile;
  std::map<std::string, LayerConfig> layers;  // By number.
  for (const auto& [key, value] : program.metadata) {
    if (key == "model") {
      model.name = value;
    } else if (key == "input") {
      const size_t blank = value.rfind(' ');
      const std::optional<Type> type = ParseFixedType(std::string_view(value).substr(blank + 1));
      if (blank == std::string::npos || !type)
        return Refuse("program: input: expected a name and a type, got '{}'", value);
      model.inputs = {{value.substr(0, blank), type->dtype, type->shape}};
    } else if (key.starts_with("layer.") || key.starts_with("frozen.")) {
      const size_t number = key.find('.') + 1, name = key.find('.', number);
      if (name == std::string::npos) return Refuse("program: expected layer.<number>.<name>, got '{}'", key);
      LayerConfig& layer = layers[key.substr(number, name - number)];
      FUSEBOX_ASSIGN_OR_RETURN(layer.item, ParseItemSpec(value));
      layer.name = key.substr(name + 1);
      layer.trainable = key.starts_with("layer.");
    } else if (key == "optimizer") {
      FUSEBOX_ASSIGN_OR_RETURN(compile.optimizer, ParseItemSpec(value));
    } else if (key == "loss") {
      FUSEBOX_ASSIGN_OR_RETURN(compile.loss, ParseItemSpec(value));
    } else if (key.starts_with("metric.")) {
      FUSEBOX_ASSIGN_OR_RETURN(compile.metrics.emplace_back(), ParseItemSpec(value));
    } else if (key.starts_with("weighted_metric.")) {
      FUSEBOX_ASSIGN_OR_RETURN(compile.weighted_metrics.emplace_back(), ParseItemSpec(value));
    }
  }
  for (auto& [number, layer] : layers) model.layers.push_back(std::move(layer));
  if (model.layers.empty()) return Refuse("the program does not say what layers its model has");
  if (!compile.loss.id.empty()) model.compile = std::move(compile);
  return model;
}

}  // namespace fusebox
