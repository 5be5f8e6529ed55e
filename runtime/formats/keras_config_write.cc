// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/formats/json_text.h"
#include "fusebox/runtime/formats/keras_config.h"
#include "fusebox/runtime/formats/keras_names.h"
#include "fusebox/runtime/formats/number_text.h"

namespace fusebox {
namespace {

const char* KerasDType(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "float32";
    case DType::kF64:
      return "float64";
    case DType::kI32:
      return "int32";
    case DType::kI64:
      return "int64";
    case DType::kU8:
      return "uint8";
    case DType::kBool:
      return "bool";
    case DType::kError:
      break;
  }
  return "float32";
}

Json ItemJson(const ItemSpec& item, const std::string& keras_module, Json config);

// The module of Keras in which an attribute of this name looks for its item; empty for attributes that name none.
std::string ReferenceModule(std::string_view attribute) {
  for (const std::string_view kind : {"initializer", "regularizer", "constraint", "activation"}) {
    if (attribute.ends_with(kind)) return fmt::format("keras.{}s", kind);
  }
  return attribute == "learning_rate" ? "keras.optimizers.schedules" : "";
}

Json AttributeJson(std::string_view name, const AttributeValue& value);

Json Attributes(const ItemSpec& item, Json into = Json::object()) {
  for (const auto& [name, value] : item.attributes) into[name] = AttributeJson(name, value);
  return into;
}

// An item that Keras has, and that its name alone describes.
bool IsPlainName(const ItemSpec& item) { return item.attributes.empty() && SplitItemId(item.id).space == "fusebox"; }

Json AttributeJson(std::string_view name, const AttributeValue& value) {
  if (const std::string* text = std::get_if<std::string>(&value)) {
    const std::string module = ReferenceModule(name);
    if (module.empty()) {
      const std::optional<std::vector<double>> numbers = ParseNumbers(*text);
      return numbers ? Json(*numbers) : Json(*text);
    }
    if (text->empty()) return nullptr;  // None, in Keras's words.
    const absl::StatusOr<ItemSpec> item = ParseItemSpec(*text);
    if (!item.ok()) return *text;
    if (module == "keras.activations" && IsPlainName(*item)) return SplitItemId(item->id).name;
    // One with settings is a layer to Keras, whose functions have none in files.
    return ItemJson(*item, module == "keras.activations" ? "keras.layers" : module, Attributes(*item));
  }
  if (const double* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) {
    // JSON has no word for it; and an infinite limit is none.
    return *number > 0 ? Json(nullptr) : Json(PythonRepr(*number));
  }
  if (const int64_t* number = std::get_if<int64_t>(&value); number != nullptr && *number == INT64_MIN) return nullptr;
  if (const Ints* list = std::get_if<Ints>(&value)) {
    if (list->empty() && name != "target_shape") return nullptr;  // Of an optional attribute: None.
    Json json = *list;
    for (Json& element : json) {
      if (name == "noise_shape" && element == -1) element = nullptr;
    }
    return json;
  }
  return std::visit([](const auto& v) { return Json(v); }, value);
}

Json ItemJson(const ItemSpec& item, const std::string& keras_module, Json config) {
  const ItemName name = SplitItemId(item.id);
  const std::string class_name = KerasClassName(item.id);
  const bool ours = name.space == "fusebox";
  Json json = {{"module", ours ? keras_module : name.space}, {"class_name", class_name}, {"config", std::move(config)}};
  json["registered_name"] = ours ? Json(nullptr) : Json(name.space + ">" + class_name);
  if (!name.major.empty()) json["fusebox_item"] = item.id;
  return json;
}

Json InputJson(const InputConfig& input) {
  Json batch_shape = {nullptr};
  for (const int64_t dim : input.shape) batch_shape.push_back(dim < 0 ? Json(nullptr) : Json(dim));
  return {{"module", "keras.layers"},
          {"class_name", "InputLayer"},
          {"config",
           {{"batch_shape", batch_shape}, {"dtype", KerasDType(input.dtype)}, {"sparse", false}, {"name", input.name}}},
          {"registered_name", nullptr}};
}

Json LayerJson(const LayerConfig& layer) {
  Json config = {{"name", layer.name}, {"trainable", layer.trainable}, {"dtype", "float32"}};
  // Keras's constructor of this one does not take what all others do.
  if (SplitItemId(layer.item.id).name == "spatial_dropout1d") config.erase("trainable");
  return ItemJson(layer.item, "keras.layers", Attributes(layer.item, std::move(config)));
}

// What "accuracy" and "crossentropy" mean depends on shapes: in Keras these are strings alone, not classes.
Json LossOrMetric(const ItemSpec& item, const std::string& keras_module) {
  const ItemName id = SplitItemId(item.id);
  const auto name = item.attributes.find("name");
  if (id.space == "fusebox" && (id.name == "accuracy" || id.name == "crossentropy")) {
    return name != item.attributes.end() ? AttributeJson("name", name->second) : Json(id.name);
  }
  // A string names a class to Keras by its snake case alone.
  const bool has_string = IsPlainName(item) && KerasSnakeCase(KerasClassName(item.id)) == id.name;
  Json json = has_string ? Json(id.name) : ItemJson(item, keras_module, Attributes(item));
  if (json.is_object()) json["config"].emplace("name", id.name);
  return json;
}

Json MetricsJson(const std::vector<ItemSpec>& metrics) {
  Json list = Json::array();
  for (const ItemSpec& metric : metrics) list.push_back(LossOrMetric(metric, "keras.metrics"));
  return list;
}

Json CompileJson(const CompileConfig& compile) {
  const Json optimizer = ItemJson(compile.optimizer, "keras.optimizers",
                                  Attributes(compile.optimizer, {{"name", KerasClassName(compile.optimizer.id)}}));
  const Json loss = compile.loss.id.empty() ? Json(nullptr) : LossOrMetric(compile.loss, "keras.losses");
  return {
      {"optimizer", optimizer},
      {"loss", loss},
      {"loss_weights", nullptr},
      {"metrics", MetricsJson(compile.metrics)},
      {"weighted_metrics", compile.weighted_metrics.empty() ? Json(nullptr) : MetricsJson(compile.weighted_metrics)}};
}

}  // namespace

std::string KerasConfigJson(const ModelConfig& model) {
  Json layers = Json::array();
  if (model.input) layers.push_back(InputJson(*model.input));
  for (const LayerConfig& layer : model.layers) layers.push_back(LayerJson(layer));
  Json json = {{"module", "keras"},
               {"class_name", "Sequential"},
               {"config", {{"name", model.name}, {"trainable", true}, {"dtype", "float32"}, {"layers", layers}}},
               {"registered_name", nullptr}};
  if (model.compile) json["compile_config"] = CompileJson(*model.compile);
  return JsonText(json);
}

}  // namespace fusebox
