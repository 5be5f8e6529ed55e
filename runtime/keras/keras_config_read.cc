// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras2_config.h"
#include "fusebox/runtime/keras/keras_compile_read.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/keras/keras_graph_read.h"
#include "fusebox/runtime/keras/keras_input_shape.h"
#include "fusebox/runtime/keras/keras_item_read.h"

namespace fusebox {
namespace {

std::optional<DType> DTypeOfKeras(std::string_view name) {
  if (name == "float32" || name == "float16" || name == "bfloat16") return DType::kF32;
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
  const std::string class_name = StringMember(dtype, "class_name");
  if (class_name.starts_with("Quantized")) return class_name + " " + StringMember(Member(dtype, "config"), "mode");
  return name.empty() ? Excerpt(dtype) : name;
}

// Whether fusebox computes such a layer in float32, as it computes all.
bool IsFloatPolicy(const std::string& policy) {
  for (const char* known : {"float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"}) {
    if (policy == known) return true;
  }
  return false;
}

// Adds the policies other than float32 of all layers in the file.
void AddPolicies(const Json& json, std::set<std::string>& policies) {
  if (!json.is_structured()) return;
  const std::string policy = DTypeText(Member(Member(json, "config"), "dtype"));
  const std::string class_name = StringMember(json, "class_name");
  const bool is_layer = json.is_object() && class_name != "InputLayer" && !class_name.starts_with("__");  // No array.
  if (is_layer && policy != "float32" && IsFloatPolicy(policy)) policies.insert(policy);
  for (const Json& each : json) AddPolicies(each, policies);
}

// Makes inputs of float64 float32, as the layers behind them compute.
void NarrowInputs(Json& json) {
  if (!json.is_structured()) return;
  if (json.is_object() && StringMember(json, "class_name") == "InputLayer" && Member(json, "config").is_object() &&
      DTypeText(Member(json["config"], "dtype")) == "float64") {
    json["config"]["dtype"] = "float32";
  }
  for (Json& each : json) NarrowInputs(each);
}

// Takes out what LoRA has added to layers, and adds their names: Keras adds it to the kernels when it saves.
void DropLora(Json& json, std::set<std::string>& layers) {
  if (!json.is_structured()) return;
  if (json.is_object() && !Member(json, "lora_rank").is_null()) {
    layers.insert(StringMember(json, "name"));
    for (const char* key : {"lora_rank", "lora_alpha"}) json.erase(key);
  }
  for (Json& each : json) DropLora(each, layers);
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

// Whether the class is one of Keras's own, in Keras 3's files (with a module) and in older ones.
bool IsOfKeras(const Json& json) {
  const std::string module = StringMember(json, "module");
  return StringMember(json, "registered_name").find('>') == std::string::npos &&
         (module.empty() || module == "keras" || module.starts_with("keras."));
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
  const std::string policy = DTypeText(Member(config, "dtype"));
  const bool is_index = class_name == "Discretization" && (policy == "int32" || policy == "int64");
  if (policy.starts_with("Quantized")) {
    return Refuse(
        "{}: is quantized ({}), which fusebox does not compute: save the model as it was before quantize(), or train "
        "it "
        "without",
        layer_who, policy.substr(policy.find(' ') + 1));
  }
  if (!is_index && !IsFloatPolicy(policy)) return Refuse("{}: dtype float32 expected, got {}", layer_who, policy);

  if (class_name == "Lambda" && IsOfKeras(json)) {
    return Refuse(
        "{}: a Lambda layer is a Python function, whose code fusebox cannot run: build it from layers, or in C++ as a "
        "fb::Lambda or a plugin",
        layer_who);
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
  std::map<std::string, int> unnamed;
  const auto layer = [&](const Json& of, const std::string& in) { return LayerFromJson(of, in, nesting, unnamed); };
  ModelConfig model;
  if (!stack) model.name = "functional";
  if (const std::string name = StringMember(config, "name"); !name.empty()) model.name = name;
  FUSEBOX_RETURN_IF_ERROR(stack ? StackFromJson(config, who, nesting, model)
                                : GraphFromJson(json, who, {InputFromJson, layer}, model));
  if (const Json& compile = Member(json, "compile_config"); nesting == 0 && !compile.is_null() && !compile.empty()) {
    model.compile = CompileFromJson(compile, OutputNames(model), who);
  }
  return model;
}

}  // namespace

absl::StatusOr<ModelConfig> ParseKerasConfig(std::string_view json, const std::string& who,
                                             std::string_view keras_version) {
  FUSEBOX_ASSIGN_OR_RETURN(Json parsed, ParseJson(json, who));
  if (IsKeras2(parsed, keras_version)) UpgradeKeras2(parsed);
  FillInputShapes(parsed);
  std::set<std::string> adapted;
  DropLora(parsed, adapted);
  std::set<std::string> policies;
  AddPolicies(Member(Member(parsed, "config"), "layers"), policies);
  if (policies.contains("float64")) NarrowInputs(parsed);
  FUSEBOX_ASSIGN_OR_RETURN(ModelConfig model, ModelFromJson(parsed, who, 0));
  if (!adapted.empty()) {
    Warn("{}: LoRA of the layers {} is merged into their kernels, all of which training changes", who,
         fmt::join(adapted, ", "));
  }
  if (!policies.empty()) {
    Warn("{}: layers have the dtype policy {}; fusebox computes them in float32", who, fmt::join(policies, ", "));
  }
  return model;
}

absl::StatusOr<ItemSpec> ParseKerasItem(std::string_view json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, who));
  return ItemFromJson(parsed, who, 0);
}

}  // namespace fusebox
