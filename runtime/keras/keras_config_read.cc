// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/files/number_text.h"
#include "fusebox/runtime/keras/keras2_config.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/keras/keras_names.h"

namespace fusebox {
namespace {

constexpr int kMaxNesting = 8;  // Of items within attributes.

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

// What Keras writes for every item, and which says nothing that an attribute of ours would.
bool SaysNothing(const std::string& key, const Json& value) {
  if (value.is_null() || key == "name" || key == "dtype" || key == "trainable") return true;
  if (key == "data_format") return value == "channels_last";
  if (key == "exclude_layers") return value.is_array() && value.empty();  // Muon's.
  if (key == "reduction") return value == "sum_over_batch_size";
  for (const char* unknown : {"use_ema", "renorm", "synchronized", "rms_scaling"}) {
    if (key == unknown) return value == false;
  }
  return key == "renorm_momentum";  // Means nothing without renorm.
}

// Keras keeps settings as float32 and writes them as doubles. The shortest number with the same float32 is what was
// meant: 0.01 for 0.009999999776482582.
double ShortestOfFloat32(double value) {
  const float narrow = static_cast<float>(value);
  if (double(narrow) != value) return value;
  return ParseNumber(fmt::format("{}", narrow)).value_or(value);
}

absl::StatusOr<ItemSpec> ItemFromJson(const Json& json, const std::string& who, int nesting);

absl::StatusOr<AttributeValue> ListFromJson(const Json& list, const std::string& who) {
  const bool integers = std::ranges::all_of(list, [](const Json& v) { return v.is_number_integer(); });
  if (!integers && std::ranges::all_of(list, [](const Json& v) { return v.is_number(); })) {
    std::vector<double> numbers;
    for (const Json& value : list) numbers.push_back(ShortestOfFloat32(value.get<double>()));
    return NumbersText(numbers);
  }
  Ints values;
  for (const Json& value : list) {
    if (!value.is_number_integer() && !value.is_null())
      return Refuse("{}: a list of numbers expected, got {}", who, Excerpt(list));
    values.push_back(value.is_null() ? -1 : value.get<int64_t>());  // In a shape: any size.
  }
  return values;
}

// Muon's exclude_layers: texts, which are one with ';' between.
absl::StatusOr<AttributeValue> TextsFromJson(const Json& list, const std::string& who) {
  std::string texts;
  for (const Json& value : list) {
    if (!value.is_string() || value.get<std::string>().find(';') != std::string::npos)
      return Refuse("{}: a list of texts without ';' expected, got {}", who, Excerpt(list));
    texts += (texts.empty() ? "" : ";") + value.get<std::string>();
  }
  return texts;
}

absl::StatusOr<AttributeValue> AttributeFromJson(const Json& value, const std::string& who, int nesting) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX))
    return Refuse("{}: {} is too large", who, Excerpt(value));
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) return ShortestOfFloat32(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return ListFromJson(value, who);
  if (StringMember(value, "class_name") == "__tuple__") return ListFromJson(Member(value, "items"), who);
  if (StringMember(value, "class_name") == "__tensor__" && Member(Member(value, "config"), "value").is_array()) {
    return ListFromJson(Member(Member(value, "config"), "value"), who);
  }
  FUSEBOX_ASSIGN_OR_RETURN(const ItemSpec item, ItemFromJson(value, who, nesting + 1));
  // A reference to an item of ours is its bare name, as a user would write it.
  const ItemName name = SplitItemId(item.id);
  return Print({name.space == "fusebox" ? name.name : item.id, item.attributes});
}

// The key of the item that the object names by class.
absl::StatusOr<std::string> ItemId(const Json& json, const std::string& who) {
  const std::string class_name = StringMember(json, "class_name");
  const std::string module = StringMember(json, "module");
  const std::string registered = StringMember(json, "registered_name");
  if (const std::string id = StringMember(json, "fusebox_item"); !id.empty()) return id;
  if (const size_t split = registered.find('>'); split != std::string::npos) {
    return registered.substr(0, split) + "/" + ItemNameOfClass(registered.substr(split + 1));
  }
  if (module.empty() || module == "keras" || module.starts_with("keras."))
    return "fusebox/" + ItemNameOfClass(class_name);
  return Refuse("{}: class {} of module {} is not one of Keras's and not registered as namespace>Name", who, class_name,
                module);
}

absl::StatusOr<ItemSpec> ItemFromJson(const Json& json, const std::string& who, int nesting) {
  if (nesting > kMaxNesting) return Refuse("{}: items are nested deeper than {}", who, kMaxNesting);
  if (json.is_string()) return ItemSpec{json.get<std::string>(), {}};
  if (StringMember(json, "class_name").empty())
    return Refuse("{}: an object with class_name expected, got {}", who, Excerpt(json));
  const Json& config = Member(json, "config");
  if (StringMember(json, "class_name") == "function" && config.is_string())
    return ItemSpec{config.get<std::string>(), {}};
  if (!config.is_object() && !config.is_null())
    return Refuse("{}: an object expected as config, got {}", who, Excerpt(config));
  ItemSpec item;
  FUSEBOX_ASSIGN_OR_RETURN(item.id, ItemId(json, who));
  if (config.is_null()) return item;
  for (const auto& [key, value] : config.items()) {
    if (SaysNothing(key, value)) continue;
    const std::string attribute_who = fmt::format("{}: '{}'", who, key);
    FUSEBOX_ASSIGN_OR_RETURN(AttributeValue attribute, key == "exclude_layers"
                                                           ? TextsFromJson(value, attribute_who)
                                                           : AttributeFromJson(value, attribute_who, nesting));
    item.attributes.emplace(key, std::move(attribute));
  }
  if (!item.attributes.contains("use_ema")) item.attributes.erase("ema_momentum");  // Means nothing without.
  return item;
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
  if (layer.name.empty()) {  // Of a custom layer without get_config. Keras counts them anew when it opens the file.
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
  // Of a layer within this one nothing but its item is kept.
  if (Member(Member(Member(config, "layer"), "config"), "trainable") == false) layer.trainable = false;
  return layer;
}

// The one value of [x], {"name": x} or x.
const Json& Single(const Json& json) {
  const bool wrapped = (json.is_array() || (json.is_object() && !json.contains("class_name"))) && json.size() == 1;
  return wrapped ? *json.begin() : json;
}

// What each output is given, as a list in their order or an object by their names; null for those that have nothing.
absl::StatusOr<std::vector<Json>> ForEachOutput(const Json& json, const std::vector<std::string>& outputs,
                                                const std::string& who) {
  std::vector<Json> each(outputs.size());
  if (json.is_array() && json.size() != outputs.size())
    return Refuse("{}: one for each of {} expected, got {}", who, QuotedNames(outputs), Excerpt(json));
  for (size_t i = 0; json.is_array() && i < each.size(); ++i) each[i] = json[i];
  if (!json.is_object()) return each;
  for (const auto& [name, value] : json.items()) {
    const auto output = std::ranges::find(outputs, name);
    if (output == outputs.end())
      return Refuse("{}: the model has no output '{}': its outputs are {}", who, name, QuotedNames(outputs));
    each[size_t(output - outputs.begin())] = value;
  }
  return each;
}

// One of Keras's metrics. Its name in logs is kept where it is not the class's own.
absl::StatusOr<ItemSpec> MetricFromJson(const Json& json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(ItemSpec item, ItemFromJson(json, who, 0));
  const std::string name = StringMember(Member(json, "config"), "name");
  if (!name.empty() && name != SplitItemId(item.id).name) item.attributes["name"] = name;
  return item;
}

// Those of one output, which may lie in a list of their own.
absl::StatusOr<std::vector<ItemSpec>> MetricsFromJson(const Json& json, const std::string& who) {
  std::vector<ItemSpec> metrics;
  const bool wrapped = json.is_array() && json.size() == 1 && json.front().is_array();
  const bool by_output = json.is_object() && !json.contains("class_name");
  const Json& inner = wrapped || by_output ? Single(json) : json;
  if (inner.is_null()) return metrics;
  for (const Json& metric : inner.is_array() ? inner : Json::array({inner})) {
    FUSEBOX_ASSIGN_OR_RETURN(metrics.emplace_back(), MetricFromJson(metric, who));
  }
  return metrics;
}

absl::Status OneOutputFromJson(const Json& json, const std::string& output, const std::string& who,
                               CompileConfig& compile) {
  if (const Json& loss = Single(Member(json, "loss")); !loss.is_null()) {
    if (loss.is_array()) return Refuse("{}: one loss expected, got {}", who, Excerpt(loss));
    FUSEBOX_ASSIGN_OR_RETURN(compile.loss, ItemFromJson(loss, who + ": loss", 0));
  }
  FUSEBOX_ASSIGN_OR_RETURN(compile.metrics, MetricsFromJson(Member(json, "metrics"), who + ": metrics"));
  FUSEBOX_ASSIGN_OR_RETURN(compile.weighted_metrics,
                           MetricsFromJson(Member(json, "weighted_metrics"), who + ": weighted_metrics"));
  const Json& weight = Single(Member(json, "loss_weights"));
  if (weight.is_null()) return absl::OkStatus();
  if (!weight.is_number()) return Refuse("{}: loss_weights: a number expected, got {}", who, Excerpt(weight));
  compile.outputs = {{output, std::exchange(compile.loss, {}), weight.get<double>(), std::exchange(compile.metrics, {}),
                      std::exchange(compile.weighted_metrics, {})}};
  return absl::OkStatus();
}

absl::Status OutputsFromJson(const Json& json, const std::vector<std::string>& outputs, const std::string& who,
                             CompileConfig& compile) {
  Json loss = Member(json, "loss");
  const bool one_for_all = loss.is_string() || (loss.is_object() && loss.contains("class_name"));
  if (one_for_all) loss = Json::array_t(outputs.size(), loss);
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Json> losses, ForEachOutput(loss, outputs, who + ": loss"));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Json> weights,
                           ForEachOutput(Member(json, "loss_weights"), outputs, who + ": loss_weights"));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Json> metrics,
                           ForEachOutput(Member(json, "metrics"), outputs, who + ": metrics"));
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Json> weighted,
                           ForEachOutput(Member(json, "weighted_metrics"), outputs, who + ": weighted_metrics"));
  for (size_t i = 0; i < outputs.size(); ++i) {
    OutputLoss& output =
        compile.outputs.emplace_back(OutputLoss{.output = outputs[i], .loss = {}, .weight = {}, .metrics = {}});
    if (!losses[i].is_null()) {
      FUSEBOX_ASSIGN_OR_RETURN(output.loss, ItemFromJson(losses[i], who + ": loss", 0));
    }
    if (weights[i].is_number()) output.weight = weights[i].get<double>();
    FUSEBOX_ASSIGN_OR_RETURN(output.metrics, MetricsFromJson(metrics[i], who + ": metrics"));
    FUSEBOX_ASSIGN_OR_RETURN(output.weighted_metrics, MetricsFromJson(weighted[i], who + ": weighted_metrics"));
  }
  return absl::OkStatus();
}

absl::StatusOr<CompileConfig> CompileFromJson(const Json& json, const std::vector<std::string>& outputs,
                                              const std::string& who) {
  if (!json.is_object()) return Refuse("{}: compile_config: an object expected, got {}", who, Excerpt(json));
  CompileConfig compile;
  if (const Json& optimizer = Member(json, "optimizer"); !optimizer.is_null()) {
    FUSEBOX_ASSIGN_OR_RETURN(compile.optimizer, ItemFromJson(optimizer, who + ": optimizer", 0));
  }
  FUSEBOX_RETURN_IF_ERROR(outputs.size() == 1 ? OneOutputFromJson(json, outputs[0], who, compile)
                                              : OutputsFromJson(json, outputs, who, compile));
  return compile;
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
    // Keras knows it from the data.
    FUSEBOX_ASSIGN_OR_RETURN(model.inputs.emplace_back().shape, ShapeFromJson(shape, who + ": build_input_shape"));
  }
  return absl::OkStatus();
}

// A value as Keras writes it: what call `node` of the layer gave.
struct KerasHistory {
  std::string layer;
  uint64_t node = 0, output = 0;
};

// ["dense", 0, 0], or with more behind it.
absl::StatusOr<KerasHistory> HistoryFromJson(const Json& json, const std::string& who) {
  const bool fits = json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number_unsigned() &&
                    json[2].is_number_unsigned();
  if (!fits) return Refuse("{}: a value as in [\"dense\", 0, 0] expected, got {}", who, Excerpt(json));
  return KerasHistory{json[0].get<std::string>(), json[1].get<uint64_t>(), json[2].get<uint64_t>()};
}

// [["a", 0, 0], ["b", 0, 0]]; of a single one ["a", 0, 0]; by name {"x": ["a", 0, 0]}.
absl::StatusOr<std::vector<KerasHistory>> HistoriesFromJson(const Json& json, const std::string& who) {
  std::vector<KerasHistory> all;
  const bool one = json.is_array() && !json.empty() && json[0].is_string();
  const Json list = one ? Json::array({json}) : json;
  if (!list.is_array() && !list.is_object()) return Refuse("{}: a list of values expected, got {}", who, Excerpt(json));
  for (const Json& each : list) {
    FUSEBOX_ASSIGN_OR_RETURN(all.emplace_back(), HistoryFromJson(each, who));
  }
  return all;
}

// What a layer is called with. The masks are those of Keras's kwarg `mask`.
struct KerasNode {
  std::vector<KerasHistory> inputs, masks;
};

// A call of Keras 3, {"args": [value or [value, ...]], "kwargs": {}}; of older files [["a", 0, 0, {}], ...].
absl::StatusOr<KerasNode> NodeFromJson(const Json& node, const std::string& who) {
  KerasNode read;
  if (node.is_array()) {
    FUSEBOX_ASSIGN_OR_RETURN(read.inputs, HistoriesFromJson(node, who));
    return read;
  }
  const auto add = [&](const Json& value, std::vector<KerasHistory>& to) -> absl::Status {
    if (StringMember(value, "class_name") != "__keras_tensor__")
      return Refuse("{}: called with {}, which is no value of the model", who, Excerpt(value));
    FUSEBOX_ASSIGN_OR_RETURN(to.emplace_back(), HistoryFromJson(Member(Member(value, "config"), "keras_history"), who));
    return absl::OkStatus();
  };
  for (const Json& argument : Member(node, "args")) {
    if (!argument.is_array()) {
      FUSEBOX_RETURN_IF_ERROR(add(argument, read.inputs));
      continue;
    }
    for (const Json& value : argument) FUSEBOX_RETURN_IF_ERROR(add(value, read.inputs));
  }
  for (const auto& [name, value] : Member(node, "kwargs").items()) {
    if (value.is_null()) continue;
    if (name == "count_weights" || name == "mask") {
      FUSEBOX_RETURN_IF_ERROR(add(value, name == "mask" ? read.masks : read.inputs));
      continue;
    }
    return Refuse("{}: called with {} = {}, which is not supported", who, name, Excerpt(value));
  }
  if (read.inputs.empty()) return Refuse("{}: called without a value", who);
  return read;
}

// Operations of which Keras makes the masks that it hands from layer to layer. In files they stand among the layers.
bool MakesMasks(std::string_view class_name) {
  for (const char* op : {"NotEqual", "Any", "LogicalOr", "ExpandDims", "ZerosLike", "OnesLike", "Concatenate"}) {
    if (class_name == op) return true;
  }
  return false;
}

// The calls that Keras lists layer by layer.
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
      // Those that Keras makes by itself we make by ourselves.
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
  std::vector<std::pair<std::string, KerasHistory>> masks_;          // With who is called with them.
};

absl::StatusOr<ModelConfig> ModelFromJson(const Json& json, const std::string& who, int nesting) {
  if (nesting > kMaxNesting) return Refuse("{}: models are nested deeper than {}", who, kMaxNesting);
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
