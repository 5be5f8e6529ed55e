// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/formats/json_text.h"
#include "fusebox/runtime/formats/keras_config.h"
#include "fusebox/runtime/formats/keras_names.h"
#include "fusebox/runtime/formats/number_text.h"

namespace fusebox {
namespace {

constexpr int kMaxNesting = 8;  // Of items within attributes.

// The start of a value, for messages.
std::string Excerpt(const Json& json) {
  const std::string text = JsonText(json);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

// The member, or null.
const Json& Member(const Json& object, const std::string& key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string StringMember(const Json& object, const std::string& key) {
  const Json& member = Member(object, key);
  return member.is_string() ? member.get<std::string>() : "";
}

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
    FUSEBOX_ASSIGN_OR_RETURN(AttributeValue attribute,
                             AttributeFromJson(value, fmt::format("{}: '{}'", who, key), nesting));
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

// `unnamed` counts the layers without a name by class.
absl::StatusOr<LayerConfig> LayerFromJson(const Json& json, const std::string& who,
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
  if (config.contains("layers") || class_name == "Functional" || class_name == "Model") {
    return Refuse("{}: a model within a model ({}) is not supported yet", layer_who, class_name);
  }
  if (const std::string dtype = DTypeText(Member(config, "dtype")); dtype != "float32") {
    return Refuse("{}: dtype float32 expected, got {}", layer_who, dtype);
  }
  layer.trainable = Member(config, "trainable") != false;
  FUSEBOX_ASSIGN_OR_RETURN(layer.item, ItemFromJson(json, layer_who, 0));
  layer.item.attributes.erase("batch_input_shape");  // Of the first layer in older files.
  return layer;
}

// The one value of [x], {"name": x} or x.
const Json& Single(const Json& json) {
  const bool wrapped = (json.is_array() || (json.is_object() && !json.contains("class_name"))) && json.size() == 1;
  return wrapped ? *json.begin() : json;
}

// One of Keras's metrics. Its name in logs is kept where it is not the class's own.
absl::StatusOr<ItemSpec> MetricFromJson(const Json& json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(ItemSpec item, ItemFromJson(json, who, 0));
  const std::string name = StringMember(Member(json, "config"), "name");
  if (!name.empty() && name != SplitItemId(item.id).name) item.attributes["name"] = name;
  return item;
}

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

absl::StatusOr<CompileConfig> CompileFromJson(const Json& json, const std::string& who) {
  if (!json.is_object()) return Refuse("{}: compile_config: an object expected, got {}", who, Excerpt(json));
  CompileConfig compile;
  if (!Member(json, "loss_weights").is_null() && !Member(json, "loss_weights").empty()) {
    return Refuse("{}: loss_weights are not supported yet", who);
  }
  if (const Json& optimizer = Member(json, "optimizer"); !optimizer.is_null()) {
    FUSEBOX_ASSIGN_OR_RETURN(compile.optimizer, ItemFromJson(optimizer, who + ": optimizer", 0));
  }
  if (const Json& loss = Single(Member(json, "loss")); !loss.is_null()) {
    if (loss.is_array()) return Refuse("{}: one loss expected, got {}", who, Excerpt(loss));
    FUSEBOX_ASSIGN_OR_RETURN(compile.loss, ItemFromJson(loss, who + ": loss", 0));
  }
  FUSEBOX_ASSIGN_OR_RETURN(compile.metrics, MetricsFromJson(Member(json, "metrics"), who + ": metrics"));
  FUSEBOX_ASSIGN_OR_RETURN(compile.weighted_metrics,
                           MetricsFromJson(Member(json, "weighted_metrics"), who + ": weighted_metrics"));
  return compile;
}

absl::StatusOr<ModelConfig> ModelFromJson(const Json& json, const std::string& who) {
  const std::string class_name = StringMember(json, "class_name");
  const Json& config = Member(json, "config");
  const Json& layers = Member(config, "layers");
  if (class_name != "Sequential") {
    return Refuse("{}: a Sequential model expected (others are not supported yet), got {}", who,
                  class_name.empty() ? "no class_name" : class_name);
  }
  if (!layers.is_array()) return Refuse("{}: config.layers: a list expected, got {}", who, Excerpt(layers));
  ModelConfig model;
  if (const std::string name = StringMember(config, "name"); !name.empty()) model.name = name;
  std::set<std::string> names;
  std::map<std::string, int> unnamed;
  for (const Json& layer : layers) {
    const Json& layer_config = Member(layer, "config");
    if (!layer_config.is_object()) return Refuse("{}: a layer with a config expected, got {}", who, Excerpt(layer));
    const bool is_input = StringMember(layer, "class_name") == "InputLayer";
    if (is_input && model.input) return Refuse("{}: a second InputLayer in a Sequential model", who);
    if (!model.input && model.layers.empty() && (is_input || layer_config.contains("batch_input_shape"))) {
      FUSEBOX_ASSIGN_OR_RETURN(model.input, InputFromJson(layer_config, who + ": InputLayer"));
    } else if (is_input) {
      return Refuse("{}: an InputLayer stands behind '{}'", who, model.layers.back().name);
    }
    if (is_input) continue;
    FUSEBOX_ASSIGN_OR_RETURN(LayerConfig parsed, LayerFromJson(layer, who, unnamed));
    if (Member(config, "trainable") == false) parsed.trainable = false;
    if (!names.insert(parsed.name).second) return Refuse("{}: two layers are named '{}'", who, parsed.name);
    model.layers.push_back(std::move(parsed));
  }
  if (const Json& shape = Member(config, "build_input_shape"); !model.input && !shape.is_null()) {
    model.input.emplace();  // Keras knows it from the data.
    FUSEBOX_ASSIGN_OR_RETURN(model.input->shape, ShapeFromJson(shape, who + ": build_input_shape"));
  }
  if (const Json& compile = Member(json, "compile_config"); !compile.is_null() && !compile.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(model.compile, CompileFromJson(compile, who));
  }
  return model;
}

}  // namespace

absl::StatusOr<ModelConfig> ParseKerasConfig(std::string_view json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, who));
  return ModelFromJson(parsed, who);
}

absl::StatusOr<ItemSpec> ParseKerasItem(std::string_view json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, who));
  return ItemFromJson(parsed, who, 0);
}

}  // namespace fusebox
