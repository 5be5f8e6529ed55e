// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras2_config.h"
#include "fusebox/runtime/keras/keras_calls_read.h"
#include "fusebox/runtime/keras/keras_compile_read.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/keras/keras_item_read.h"

namespace fusebox {
namespace {

std::optional<DType> DTypeOfKeras(std::string_view name) {
  if (name == "float32") return DType::kF32;
  if (name == "float64") return DType::kF64;
  if (name == "int32") return DType::kI32;
  if (name == "int64") return DType::kI64;
  if (name == "uint8") return DType::kU8;
  if (name == "bool") return DType::kBool;
  return std::nullopt;
}

// "float32", or {"class_name": "DTypePolicy", "config": {"name": "float32"}}.
std::string DTypeText(const Json& dtype) {
  if (dtype.is_null()) return "float32";
  if (dtype.is_string()) return dtype.get<std::string>();
  const std::string name = StringMember(Member(dtype, "config"), "name");
  return name.empty() ? Excerpt(dtype) : name;
}

// [null, 28, 28] without its batch.
absl::StatusOr<Shape> ShapeFromJson(const Json& batch_shape, const std::string& who) {
  constexpr size_t kMaxRank = 8;
  if (!batch_shape.is_array() || batch_shape.empty() || batch_shape.size() > kMaxRank + 1) {
    return Refuse("{}: a shape as in [null, 28, 28] expected, got {}", who, Excerpt(batch_shape));
  }
  Shape shape;
  for (size_t i = 1; i < batch_shape.size(); ++i) {
    const Json& dim = batch_shape[i];
    constexpr uint64_t kMaxDim = uint64_t{1} << 40;
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > kMaxDim) {
      return Refuse("{}: numbers expected behind the batch, got {}", who, Excerpt(batch_shape));
    }
    shape.push_back(dim.get<int64_t>());
  }
  return shape;
}

absl::StatusOr<InputConfig> InputFromJson(const Json& config, const std::string& who) {
  InputConfig input;
  input.name = StringMember(config, "name");
  const std::string dtype = DTypeText(Member(config, "dtype"));
  const std::optional<DType> known = DTypeOfKeras(dtype);
  if (!known) return Refuse("{}: dtype {} is not supported", who, dtype);
  input.dtype = *known;
  const std::string key = config.contains("batch_shape") ? "batch_shape" : "batch_input_shape";
  FUSEBOX_ASSIGN_OR_RETURN(input.shape, ShapeFromJson(Member(config, key), who));
  return input;
}

absl::StatusOr<ModelConfig> ModelFromJson(const Json& json, const std::string& who, int nesting);

bool IsModel(const Json& json) {
  const std::string class_name = StringMember(json, "class_name");
  return Member(json, "config").contains("layers") || class_name == "Functional" || class_name == "Model" ||
         class_name == "Sequential";
}

// `unnamed` counts the layers without a name by class.
absl::StatusOr<LayerConfig> LayerFromJson(const Json& json, const std::string& who, int nesting,
                                          std::map<std::string, int>& unnamed) {
  const Json& config = Member(json, "config");
  LayerConfig layer;
  const std::string class_name = StringMember(json, "class_name");
  layer.name = StringMember(config, "name");
  if (layer.name.empty()) {  // A custom layer without get_config. Keras counts such layers anew when it opens the file.
    const int count = unnamed[class_name]++;
    layer.name = KerasSnakeCase(class_name) + (count == 0 ? "" : fmt::format("_{}", count));
  }
  const std::string layer_who = fmt::format("{}: layer '{}'", who, layer.name);
  if (const std::string dtype = DTypeText(Member(config, "dtype")); dtype != "float32") {
    return Refuse("{}: dtype float32 expected, got {}", layer_who, dtype);
  }
  layer.trainable = Member(config, "trainable") != false;
  if (IsModel(json)) {
    FUSEBOX_ASSIGN_OR_RETURN(ModelConfig model, ModelFromJson(json, layer_who, nesting + 1));
    layer.model = std::make_shared<const ModelConfig>(std::move(model));
    return layer;
  }
  if (const Json& inner = Member(config, "layer"); class_name == "TimeDistributed" && IsModel(inner)) {
    FUSEBOX_ASSIGN_OR_RETURN(ModelConfig model, ModelFromJson(inner, layer_who, nesting + 1));
    layer.item.id = kTimeDistributed;
    layer.model = std::make_shared<const ModelConfig>(std::move(model));
    if (Member(Member(inner, "config"), "trainable") == false) layer.trainable = false;
    return layer;
  }
  FUSEBOX_ASSIGN_OR_RETURN(layer.item, ItemFromJson(json, layer_who, 0));
  layer.item.attributes.erase("batch_input_shape");  // Of the first layer in older files.
  // Of a wrapped layer only the item is kept, so its `trainable` becomes that of this layer.
  if (Member(Member(Member(config, "layer"), "config"), "trainable") == false) layer.trainable = false;
  return layer;
}

absl::Status StackFromJson(const Json& config, const std::string& who, int nesting, ModelConfig& model) {
  std::set<std::string> names;
  std::map<std::string, int> unnamed;
  for (const Json& layer : Member(config, "layers")) {
    const Json& layer_config = Member(layer, "config");
    if (!layer_config.is_object()) return Refuse("{}: a layer with a config expected, got {}", who, Excerpt(layer));
    const bool is_input = StringMember(layer, "class_name") == "InputLayer";
    if (is_input && !model.inputs.empty()) return Refuse("{}: a second InputLayer in a Sequential model", who);
    if (model.inputs.empty() && model.layers.empty() && (is_input || layer_config.contains("batch_input_shape"))) {
      FUSEBOX_ASSIGN_OR_RETURN(model.inputs.emplace_back(), InputFromJson(layer_config, who + ": InputLayer"));
    } else if (is_input) {
      return Refuse("{}: an InputLayer stands behind '{}'", who, model.layers.back().name);
    }
    if (is_input) continue;
    FUSEBOX_ASSIGN_OR_RETURN(LayerConfig parsed, LayerFromJson(layer, who, nesting, unnamed));
    if (Member(config, "trainable") == false) parsed.trainable = false;
    if (!names.insert(parsed.name).second) return Refuse("{}: two layers are named '{}'", who, parsed.name);
    model.layers.push_back(std::move(parsed));
  }
  if (const Json& shape = Member(config, "build_input_shape"); model.inputs.empty() && !shape.is_null()) {
    // The shape of the data that Keras has seen.
    FUSEBOX_ASSIGN_OR_RETURN(model.inputs.emplace_back().shape, ShapeFromJson(shape, who + ": build_input_shape"));
  }
  return absl::OkStatus();
}

// Whether Keras computes masks by this operation. In files such operations stand among the layers.
bool MakesMasks(std::string_view class_name) {
  for (const char* op : {"NotEqual", "Any", "LogicalOr", "ExpandDims", "ZerosLike", "OnesLike", "Concatenate"}) {
    if (class_name == op) return true;
  }
  return false;
}

// Reads a functional model, whose calls Keras lists layer by layer.
class GraphReader {
 public:
  GraphReader(const Json& json, const std::string& who, int nesting, ModelConfig& model)
      : config_(Member(json, "config")),
        added_(Member(json, "fusebox_added")),
        who_(who),
        nesting_(nesting),
        model_(model) {}

  absl::Status Read() {
    FUSEBOX_RETURN_IF_ERROR(ReadLayers());
    FUSEBOX_RETURN_IF_ERROR(ReadInputs());
    for (const auto& [layer_who, mask] : masks_) {
      // Masks that Keras computes by itself fusebox computes too; masks of the user's own cannot be read.
      if (!of_masks_.contains(mask.layer))
        return Refuse("{}: called with a mask of one's own, '{}', which is not supported", layer_who, mask.layer);
    }
    for (auto& [layer, inputs] : calls_) {
      CallConfig& call = model_.calls.emplace_back(CallConfig{layer, {}});
      for (const KerasHistory& input : inputs) {
        FUSEBOX_ASSIGN_OR_RETURN(call.inputs.emplace_back(), Find(input));
      }
    }
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<KerasHistory> outputs,
                             HistoriesFromJson(Member(config_, "output_layers"), who_ + ": output_layers"));
    if (outputs.empty()) return Refuse("{}: it has no outputs", who_);
    for (const KerasHistory& output : outputs) {
      FUSEBOX_ASSIGN_OR_RETURN(model_.outputs.emplace_back(), Find(output));
    }
    FUSEBOX_RETURN_IF_ERROR(ReadAdded());
    if (!SortCalls(model_)) {
      const std::vector<std::string> circle = LayersInCycle(model_);
      if (circle.empty()) return Refuse("{}: its calls wait for each other", who_);
      return Refuse(
          "{}: a cycle: of the layers {} each waits for what another one gives, expected a graph without cycles", who_,
          QuotedNames(circle));
    }
    SortLayers(model_);
    return absl::OkStatus();
  }

 private:
  absl::Status ReadLayers() {
    std::map<std::string, int> unnamed;
    for (const Json& json : Member(config_, "layers")) {
      const Json& layer_config = Member(json, "config");
      if (!layer_config.is_object()) return Refuse("{}: a layer with a config expected, got {}", who_, Excerpt(json));
      if (StringMember(json, "class_name") == "InputLayer") {
        FUSEBOX_ASSIGN_OR_RETURN(InputConfig input, InputFromJson(layer_config, who_ + ": InputLayer"));
        const std::string name = input.name;
        if (!inputs_.emplace(name, std::move(input)).second) return Refuse("{}: two layers are named '{}'", who_, name);
        continue;
      }
      if (StringMember(json, "module").starts_with("keras.src.ops.") && MakesMasks(StringMember(json, "class_name"))) {
        of_masks_.insert(StringMember(layer_config, "name"));
        continue;
      }
      FUSEBOX_ASSIGN_OR_RETURN(LayerConfig layer, LayerFromJson(json, who_, nesting_, unnamed));
      if (Member(config_, "trainable") == false) layer.trainable = false;
      const std::string layer_who = fmt::format("{}: layer '{}'", who_, layer.name);
      if (inputs_.contains(layer.name) || !layer_of_.emplace(layer.name, model_.layers.size()).second)
        return Refuse("{}: two layers are named '{}'", who_, layer.name);
      std::vector<size_t>& nodes = nodes_.emplace_back();
      for (const Json& node : Member(json, "inbound_nodes")) {
        FUSEBOX_ASSIGN_OR_RETURN(KerasNode read, NodeFromJson(node, layer_who));
        nodes.push_back(calls_.size());
        calls_.emplace_back(model_.layers.size(), std::move(read.inputs));
        for (KerasHistory& mask : read.masks) masks_.emplace_back(layer_who, std::move(mask));
      }
      if (nodes.empty()) return Refuse("{}: is never called", layer_who);
      model_.layers.push_back(std::move(layer));
    }
    return absl::OkStatus();
  }

  absl::Status ReadInputs() {
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<KerasHistory> inputs,
                             HistoriesFromJson(Member(config_, "input_layers"), who_ + ": input_layers"));
    for (const KerasHistory& input : inputs) {
      const auto known = inputs_.find(input.layer);
      if (known == inputs_.end()) return Refuse("{}: there is no InputLayer '{}'", who_, input.layer);
      input_of_[input.layer] = model_.inputs.size();
      model_.inputs.push_back(known->second);
    }
    if (model_.inputs.empty() || input_of_.size() != inputs.size() || inputs.size() != inputs_.size())
      return Refuse("{}: input_layers are not its InputLayers", who_);
    return absl::OkStatus();
  }

  absl::Status ReadAdded() {
    for (const Json& loss : Member(added_, "losses")) {
      FUSEBOX_ASSIGN_OR_RETURN(const KerasHistory value, HistoryFromJson(loss, who_ + ": fusebox_added"));
      FUSEBOX_ASSIGN_OR_RETURN(model_.added_losses.emplace_back(), Find(value));
    }
    for (const Json& metric : Member(added_, "metrics")) {
      FUSEBOX_ASSIGN_OR_RETURN(const KerasHistory value,
                               HistoryFromJson(Member(metric, "value"), who_ + ": fusebox_added"));
      FUSEBOX_ASSIGN_OR_RETURN(const ValueRef found, Find(value));
      model_.added_metrics.push_back({StringMember(metric, "name"), found});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ValueRef> Find(const KerasHistory& value) const {
    if (const auto input = input_of_.find(value.layer);
        input != input_of_.end() && value.node == 0 && value.output == 0)
      return ValueRef{input->second, 0};
    if (const auto layer = layer_of_.find(value.layer); layer != layer_of_.end()) {
      const std::vector<size_t>& nodes = nodes_[layer->second];
      const LayerConfig& config = model_.layers[layer->second];
      const size_t outputs = config.model ? OutputsOf(*config.model).size() : 1;
      if (value.node < nodes.size() && value.output < outputs)
        return ValueRef{model_.inputs.size() + nodes[value.node], value.output};
    }
    if (of_masks_.contains(value.layer)) {
      return Refuse("{}: the operation '{}' is called on values, which is not supported", who_, value.layer);
    }
    return Refuse("{}: there is no value [\"{}\", {}, {}]", who_, value.layer, value.node, value.output);
  }

  const Json& config_;
  const Json& added_;
  const std::string& who_;
  const int nesting_;
  ModelConfig& model_;
  std::map<std::string, InputConfig> inputs_;
  std::map<std::string, size_t> input_of_, layer_of_;
  std::vector<std::vector<size_t>> nodes_;                           // Of each layer: its calls.
  std::vector<std::pair<size_t, std::vector<KerasHistory>>> calls_;  // Layer, inputs.
  std::set<std::string> of_masks_;                                   // Operations that make masks.
  std::vector<std::pair<std::string, KerasHistory>> masks_;          // With the layers that are called with them.
};

absl::StatusOr<ModelConfig> ModelFromJson(const Json& json, const std::string& who, int nesting) {
  if (nesting > kMaxKerasNesting) return Refuse("{}: models are nested deeper than {}", who, kMaxKerasNesting);
  const std::string class_name = StringMember(json, "class_name");
  const Json& config = Member(json, "config");
  const bool stack = class_name == "Sequential";
  if (!stack && class_name != "Functional" && class_name != "Model") {
    return Refuse("{}: a Sequential or Functional model expected, got {}", who,
                  class_name.empty() ? "no class_name" : class_name);
  }
  if (const Json& layers = Member(config, "layers"); !layers.is_array())
    return Refuse("{}: config.layers: a list expected, got {}", who, Excerpt(layers));
  ModelConfig model;
  if (!stack) model.name = "functional";
  if (const std::string name = StringMember(config, "name"); !name.empty()) model.name = name;
  FUSEBOX_RETURN_IF_ERROR(stack ? StackFromJson(config, who, nesting, model)
                                : GraphReader(json, who, nesting, model).Read());
  if (const Json& compile = Member(json, "compile_config"); nesting == 0 && !compile.is_null() && !compile.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(model.compile, CompileFromJson(compile, OutputNames(model), who));
  }
  return model;
}

}  // namespace

absl::StatusOr<ModelConfig> ParseKerasConfig(std::string_view json, const std::string& who,
                                             std::string_view keras_version) {
  FUSEBOX_ASSIGN_OR_RETURN(Json parsed, ParseJson(json, who));
  if (IsKeras2(parsed, keras_version)) UpgradeKeras2(parsed);
  return ModelFromJson(parsed, who, 0);
}

absl::StatusOr<ItemSpec> ParseKerasItem(std::string_view json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, who));
  return ItemFromJson(parsed, who, 0);
}

}  // namespace fusebox
