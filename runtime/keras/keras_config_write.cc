// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_split.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/files/number_text.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/keras/keras_operations.h"
#include "fusebox/runtime/plugins/registry.h"
#include "fusebox/runtime/programs/program.h"

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
  if (attribute == "layer") return "keras.layers";
  if (attribute == "inner_optimizer") return "keras.optimizers";
  return attribute == "learning_rate" ? "keras.optimizers.schedules" : "";
}

Json AttributeJson(std::string_view name, const AttributeValue& value);

// Gives the numbers of an array their shape: Keras has lists of lists there, fusebox the numbers and a shape.
void NestArray(Json& config, const char* key, const char* shape_key) {
  const Json shape = Member(config, shape_key);
  config.erase(shape_key);
  if (!shape.is_array() || !Member(config, key).is_array()) return;
  Json rows = Json(config[key]);
  for (size_t axis = shape.size() - 1; axis > 0; --axis) {
    const size_t size = shape[axis].get<size_t>();
    Json grouped = Json::array();
    for (size_t i = 0; size > 0 && i < rows.size(); ++i) {
      if (i % size == 0) grouped.push_back(Json::array());
      grouped.back().push_back(std::move(rows[i]));
    }
    rows = std::move(grouped);
  }
  config[key] = std::move(rows);
}

Json Attributes(const ItemSpec& item, Json into = Json::object()) {
  for (const auto& [name, value] : item.attributes) into[name] = AttributeJson(name, value);
  // An empty list of axes differs from axes that are not given.
  const ItemName id = SplitItemId(item.id);
  if (id.space == "fusebox" && id.name == "normalization" && into.contains("axis") && into["axis"].is_null()) {
    into["axis"] = Json::array();
  }
  if (id.space == "fusebox" && id.name == "constant") NestArray(into, "value", "shape");
  if (id.space == "fusebox" && id.name == "rescaling") {
    NestArray(into, "scale", "scale_shape");
    NestArray(into, "offset", "offset_shape");
  }
  if (id.space == "fusebox" && id.name == "normalization") {
    NestArray(into, "mean", "mean_shape");
    NestArray(into, "variance", "variance_shape");
  }
  return into;
}

// An item that Keras has, and that its name alone describes.
bool IsPlainName(const ItemSpec& item) { return item.attributes.empty() && SplitItemId(item.id).space == "fusebox"; }

// Whether the function has an attribute that Keras's lacks.
bool IsOwnAttribute(std::string_view activation, std::string_view name) {
  return activation == "hard_sigmoid" && name == "slope";
}

// Moves the attributes of optimizers that Keras's classes lack from their config to a place beside it.
void MoveOwnAttributes(const std::string& item, Json& json) {
  constexpr std::pair<std::string_view, const char*> kOwn[] = {
      {"nadam", "schedule_decay"}, {"rmsprop", "epsilon_outside_root"}, {"adagrad", "epsilon_outside_root"}};
  for (const auto& [optimizer, name] : kOwn) {
    if (item != optimizer || !json["config"].contains(name)) continue;
    json["fusebox_attributes"][name] = json["config"][name];
    json["config"].erase(name);
  }
}

// Whether Keras takes a plain number or a list for it.
bool IsOneOrSeveral(std::string_view name) {
  return name == "mean" || name == "variance" || name == "value" || name == "scale" || name == "offset";
}

// Whether what an attribute names as its activation is a layer.
bool IsLayer(const ItemSpec& activation) {
  return Registry::Default().KindOfReference(FB_ACTIVATION, activation.id) == FB_LAYER;
}

Json AttributeJson(std::string_view name, const AttributeValue& value) {
  if (const std::string* text = std::get_if<std::string>(&value)) {
    if (name == "class_aggregation" && *text == "none") return nullptr;
    if (name == "exclude_layers") {  // Muon's: a list of texts.
      Json list = Json::array();
      for (const std::string& each : std::vector<std::string>(absl::StrSplit(*text, ';', absl::SkipEmpty())))
        list.push_back(each);
      return list;
    }
    const std::string module = ReferenceModule(name);
    if (module.empty()) {
      const std::optional<std::vector<double>> numbers = ParseNumbers(*text);
      // Keras takes a list of one number for one axis, a plain number for any.
      if (numbers && numbers->size() == 1 && IsOneOrSeveral(name)) return numbers->front();
      return numbers ? Json(*numbers) : Json(*text);
    }
    if (text->empty()) return nullptr;  // Keras's None.
    const absl::StatusOr<ItemSpec> item = ParseItemSpec(*text);
    if (!item.ok()) return *text;
    if (module == "keras.activations" && IsPlainName(*item) && !IsLayer(*item)) return SplitItemId(item->id).name;
    if (IsOwnAttribute(SplitItemId(item->id).name, "slope") && item->attributes.contains("slope")) {
      const std::string function = SplitItemId(item->id).name;
      return {{"module", "keras.activations"},
              {"class_name", "function"},
              {"config", function},
              {"registered_name", function},
              {"fusebox_attributes", {{"slope", std::get<double>(item->attributes.at("slope"))}}}};
    }
    // An activation with settings is a layer in Keras, because its functions have no settings in files.
    return ItemJson(*item, module == "keras.activations" ? "keras.layers" : module, Attributes(*item));
  }
  if (const double* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) {
    // JSON has no infinity; an infinite limit is no limit.
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
  if (ours) MoveOwnAttributes(name.name, json);
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

Json ModelJson(const ModelConfig& model, const std::string& name, bool trainable);

bool IsOperation(const LayerConfig& layer) {
  const ItemName id = SplitItemId(layer.item.id);
  return fmt::format("{}/{}", id.space, id.name) == kOperation;
}

Json LayerJson(const LayerConfig& layer) {
  if (IsOperation(layer)) return OperationJson(layer.item, layer.name);
  if (layer.model && !layer.IsTimeDistributedModel()) return ModelJson(*layer.model, layer.name, layer.trainable);
  Json config = {{"name", layer.name}, {"trainable", layer.trainable}, {"dtype", "float32"}};
  if (layer.IsTimeDistributedModel()) config["layer"] = ModelJson(*layer.model, layer.model->name, layer.trainable);
  // The constructors of these in Keras lack the arguments that all others have.
  const std::string name = SplitItemId(layer.item.id).name;
  if (name == "spatial_dropout1d" || name == "discretization") config.erase("trainable");
  return ItemJson(layer.item, "keras.layers", Attributes(layer.item, std::move(config)));
}

Json BatchShape(const Shape& shape) {
  Json dims = Json::array();
  for (const int64_t dim : shape) dims.push_back(dim < 0 ? Json(nullptr) : Json(dim));
  return dims;
}

// Each value as Keras names it: the layer, which of its calls, and which of that call's outputs.
class Histories {
 public:
  explicit Histories(const ModelConfig& model) : model_(model) {
    std::vector<int> calls(model.layers.size());
    for (const CallConfig& call : model.calls) node_.push_back(calls[call.layer]++);
    for (const InputConfig& input : model.inputs) inputs_.push_back(BatchType(input.dtype, input.shape));
    absl::StatusOr<std::vector<CallTypes>> types = InferTypes(model, inputs_);
    if (types.ok()) types_ = *std::move(types);
  }
  // The value as an argument of a call. Keras wants a shape, and then infers it: where a plugin is missing here, any
  // will do.
  Json Argument(ValueRef value) const {
    Type type{DType::kF32, {kBatch}};
    if (value.source < inputs_.size()) {
      type = inputs_[value.source];
    } else if (!types_.empty()) {
      type = types_[value.source - inputs_.size()].outputs[value.output];
    }
    return {
        {"class_name", "__keras_tensor__"},
        {"config",
         {{"shape", BatchShape(type.shape)}, {"dtype", KerasDType(type.dtype)}, {"keras_history", (*this)(value)}}}};
  }
  Json operator()(ValueRef value) const {
    const size_t inputs = model_.inputs.size();
    if (value.source < inputs) return {model_.inputs[value.source].name, 0, 0};
    const size_t call = value.source - inputs;
    return {model_.layers[model_.calls[call].layer].name, node_[call], value.output};
  }

  // The value as an output of the model. Here, and only here, Keras counts the calls of functional models from 1.
  Json Output(ValueRef value) const {
    Json history = (*this)(value);
    const size_t inputs = model_.inputs.size();
    if (value.source < inputs) return history;
    const LayerConfig& layer = model_.layers[model_.calls[value.source - inputs].layer];
    if (KerasClassOf(layer) == "Functional") history[1] = history[1].get<int>() + 1;
    return history;
  }

 private:
  const ModelConfig& model_;
  std::vector<int> node_;  // Of each call: how many earlier calls its layer has.
  std::vector<Type> inputs_;
  std::vector<CallTypes> types_;  // Empty if unknown.
};

Json NodeJson(const CallConfig& call, const LayerConfig& layer, const Histories& histories) {
  Json values = Json::array();
  for (const ValueRef& input : call.inputs) values.push_back(histories.Argument(input));
  if (IsOperation(layer)) return OperationNodeJson(layer.item, values);
  // Layers that merge take a list; the second value of this one is an argument of its own.
  if (values.size() == 2 && SplitItemId(layer.item.id).name == "category_encoding") {
    return {{"args", Json::array({values[0]})}, {"kwargs", {{"count_weights", values[1]}}}};
  }
  const Json args = values.size() == 1 ? values : Json::array({values});
  Json node = {{"args", args}, {"kwargs", Json::object()}};
  if (call.training) {
    // Keras 3 opens it, but its fit and predict replace the argument. fusebox reads what it means from its own member.
    node["kwargs"]["training"] = *call.training;
    node["fusebox_training"] = *call.training;
  }
  return node;
}

// A model with one input takes a value, a model with several a list, or a dict; outputs likewise.
Json OneOrAll(std::vector<Json> values, const std::vector<std::string>& keys) {
  Json all = keys.empty() ? Json::array() : Json::object();
  for (size_t i = 0; i < keys.size(); ++i) all[keys[i]] = std::move(values[i]);
  if (!keys.empty()) return all;
  if (values.size() == 1) return values[0];
  for (Json& value : values) all.push_back(std::move(value));
  return all;
}

Json GraphJson(const ModelConfig& model) {
  const Histories histories(model);
  const size_t inputs = model.inputs.size();
  Json layers = Json::array();
  for (const size_t i : LayerOrder(model)) {
    Json layer = i < inputs ? InputJson(model.inputs[i]) : LayerJson(model.layers[i - inputs]);
    layer["name"] = i < inputs ? model.inputs[i].name : model.layers[i - inputs].name;
    Json nodes = Json::array();
    for (const CallConfig& call : model.calls) {
      if (i >= inputs && call.layer == i - inputs) nodes.push_back(NodeJson(call, model.layers[call.layer], histories));
    }
    layer["inbound_nodes"] = std::move(nodes);
    layers.push_back(std::move(layer));
  }
  std::vector<Json> from, to;
  std::vector<std::string> keys;
  for (size_t i = 0; i < inputs; ++i) {
    from.push_back(histories({i, 0}));
    if (!model.inputs[i].key.empty()) keys.push_back(model.inputs[i].key);
  }
  for (const ValueRef& output : model.outputs) to.push_back(histories.Output(output));
  return {{"layers", layers},
          {"input_layers", OneOrAll(std::move(from), keys)},
          {"output_layers", OneOrAll(std::move(to), model.output_names)}};
}

// What AddLoss and AddMetric have added; null if nothing.
Json AddedJson(const ModelConfig& model) {
  if (model.added_losses.empty() && model.added_metrics.empty()) return nullptr;
  const Histories histories(model);
  Json losses = Json::array(), metrics = Json::array();
  for (const ValueRef& loss : model.added_losses) losses.push_back(histories(loss));
  for (const AddedMetric& metric : model.added_metrics)
    metrics.push_back({{"name", metric.name}, {"value", histories(metric.value)}});
  return {{"losses", losses}, {"metrics", metrics}};
}

Json ModelJson(const ModelConfig& model, const std::string& name, bool trainable) {
  Json config = {{"name", name}, {"trainable", trainable}};
  if (!model.IsStack()) {
    config.update(GraphJson(model));
    Json json = {{"module", "keras.src.models.functional"},
                 {"class_name", "Functional"},
                 {"config", config},
                 {"registered_name", "Functional"},
                 {"fusebox_outputs_from_one", true}};
    if (Json added = AddedJson(model); !added.is_null()) json["fusebox_added"] = std::move(added);
    return json;
  }
  Json layers = Json::array();
  for (const InputConfig& input : model.inputs) layers.push_back(InputJson(input));
  for (const LayerConfig& layer : model.layers) layers.push_back(LayerJson(layer));
  config["dtype"] = "float32";
  config["layers"] = layers;
  return {{"module", "keras"}, {"class_name", "Sequential"}, {"config", config}, {"registered_name", nullptr}};
}

// An item of a file that cannot be used here is written as it was.
std::optional<Json> AsFound(const std::string& problem, const std::string& keras_json) {
  if (problem.empty() || keras_json.empty()) return std::nullopt;
  absl::StatusOr<Json> json = ParseJson(keras_json, "compile_config");
  if (!json.ok()) return std::nullopt;
  return *std::move(json);
}
std::optional<Json> AsFound(const ItemSpec& item) {
  return item.keras_json == nullptr ? std::nullopt : AsFound(item.problem, *item.keras_json);
}

// What "accuracy" and "crossentropy" mean depends on shapes, so in Keras they are strings and no classes.
Json LossOrMetric(const ItemSpec& item, const std::string& keras_module) {
  if (std::optional<Json> found = AsFound(item)) return *std::move(found);
  const ItemName id = SplitItemId(item.id);
  const auto name = item.attributes.find("name");
  if (id.space == "fusebox" && (id.name == "accuracy" || id.name == "crossentropy")) {
    return name != item.attributes.end() ? AttributeJson("name", name->second) : Json(id.name);
  }
  // Keras finds a class by a string only if the string is the class's name in snake case.
  const bool has_string = IsPlainName(item) && KerasSnakeCase(KerasClassName(item.id)) == id.name;
  Json json = has_string ? Json(id.name) : ItemJson(item, keras_module, Attributes(item));
  if (json.is_object()) json["config"].emplace("name", id.name);
  return json;
}

Json MetricsJson(const std::vector<ItemSpec>& metrics) {
  Json json = Json::array();
  for (const ItemSpec& metric : metrics) json.push_back(LossOrMetric(metric, "keras.metrics"));
  return json;
}

Json LossJson(const ItemSpec& loss) { return loss.id.empty() ? Json(nullptr) : LossOrMetric(loss, "keras.losses"); }

// Keras expects every output in this object, with or without a loss.
Json OutputsJson(const std::vector<OutputLoss>& outputs) {
  if (outputs.size() == 1) {
    return {{"loss", LossJson(outputs[0].loss)},
            {"loss_weights", outputs[0].weight ? Json(*outputs[0].weight) : Json(nullptr)},
            {"metrics", MetricsJson(outputs[0].metrics)},
            {"weighted_metrics",
             outputs[0].weighted_metrics.empty() ? Json(nullptr) : MetricsJson(outputs[0].weighted_metrics)}};
  }
  Json loss, weights, metrics, weighted_metrics;
  const bool weighted = std::ranges::any_of(outputs, [](const OutputLoss& o) { return o.weight.has_value(); });
  for (const OutputLoss& output : outputs) {
    loss[output.output] = LossJson(output.loss);
    if (weighted) weights[output.output] = output.weight.value_or(1);
    if (!output.metrics.empty()) metrics[output.output] = MetricsJson(output.metrics);
    if (!output.weighted_metrics.empty()) weighted_metrics[output.output] = MetricsJson(output.weighted_metrics);
  }
  return {{"loss", loss}, {"loss_weights", weights}, {"metrics", metrics}, {"weighted_metrics", weighted_metrics}};
}

Json OptimizerJson(const ItemSpec& optimizer) {
  if (std::optional<Json> found = AsFound(optimizer)) return *std::move(found);
  return ItemJson(optimizer, "keras.optimizers", Attributes(optimizer, {{"name", KerasClassName(optimizer.id)}}));
}

Json CompileJson(const CompileConfig& compile) {
  if (std::optional<Json> found = AsFound(compile.problem, compile.keras_json)) return *std::move(found);
  Json json = {{"optimizer", OptimizerJson(compile.optimizer)}};
  json.update(compile.outputs.empty()
                  ? OutputsJson({{"", compile.loss, std::nullopt, compile.metrics, compile.weighted_metrics}})
                  : OutputsJson(compile.outputs));
  return json;
}

}  // namespace

std::string KerasConfigJson(const ModelConfig& of) {
  const ModelConfig model = Frozen(of);
  Json json = ModelJson(model, model.name, true);
  if (model.compile) json["compile_config"] = CompileJson(*model.compile);
  return JsonText(json);
}

}  // namespace fusebox
