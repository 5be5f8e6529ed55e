// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras2_config.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "fusebox/runtime/describe/item_names.h"

namespace fusebox {

std::string Keras2LayerName(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

namespace {

// The member, to be changed; nullptr if there is none.
Json* Find(Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found != object.end() ? &*found : nullptr;
}

// The list of them; null of what is no model.
const Json& LayersOf(const Json& model) {
  const Json& config = Member(model, "config");
  const Json& layers = config.is_array() ? config : Member(config, "layers");
  return layers.is_array() ? layers : Member(layers, "");
}

void UpgradeLayer(Json& layer) {
  Json* const config = Find(layer, "config");
  if (config == nullptr || !config->is_object()) return;
  const std::string class_name = StringMember(layer, "class_name");
  if (Json* const axis = Find(*config, "axis");
      class_name == "BatchNormalization" && axis != nullptr && axis->is_array() && axis->size() == 1) {
    *axis = Json((*axis)[0]);
  }
  config->erase("input_length");  // Of Embedding: what its input says anyway.
  for (auto& [key, value] : config->items()) {
    // Of Keras 2 it is another function.
    if (key.ends_with("activation") && value == "hard_sigmoid") value = "hard_sigmoid:slope=0.2";
  }
  // A wrapped layer, or one that serves as an activation.
  for (auto& [key, value] : config->items()) {
    if (value.is_object() && value.contains("class_name")) UpgradeLayer(value);
  }
  // As TensorFlow 1 named them.
  if (class_name == "BatchNormalizationV1" || class_name == "BatchNormalizationV2") {
    layer["class_name"] = "BatchNormalization";
  }
  // Older than the choice, which only Keras 3 makes for it.
  if (class_name == "GRU" && !config->contains("reset_after")) (*config)["reset_after"] = false;
  if (class_name == "ThresholdedReLU" && config->contains("theta")) {
    layer["class_name"] = "ReLU";
    (*config)["threshold"] = Json((*config)["theta"]);
    config->erase("theta");
  }
  if (class_name == "LeakyReLU" && config->contains("alpha")) {
    (*config)["negative_slope"] = Json((*config)["alpha"]);
    config->erase("alpha");
  }
}

// A value is [name, call, output, ...]; lists of them lie in lists, objects and lists of lists.
void CountFromZero(Json& values, const std::set<std::string>& from_one) {
  if (!values.is_structured()) return;
  const bool is_value = values.is_array() && values.size() >= 3 && values[0].is_string() &&
                        values[1].is_number_unsigned() && values[2].is_number_unsigned();
  if (is_value && from_one.contains(values[0].get<std::string>()) && values[1].get<uint64_t>() > 0) {
    values[1] = values[1].get<uint64_t>() - 1;
  }
  for (Json& inner : values) CountFromZero(inner, from_one);
}

// Gives layers whose names have a '/' others: Keras 3 and fusebox build paths from names. Names stand as `name`, in calls
// and in lists of values.
void RenameIn(Json& json, const std::string& from, const std::string& to) {
  if (json.is_array() && !json.empty() && json[0] == from) json[0] = to;
  if (json.is_object() && Member(json, "name") == from) json["name"] = to;
  if (!json.is_structured()) return;
  for (Json& each : json) RenameIn(each, from, to);
}

void RenameLayers(Json& config) {
  std::set<std::string> slashed;
  for (const Json& layer : config["layers"]) {
    const std::string name = StringMember(Member(layer, "config"), "name");
    if (name.find('/') != std::string::npos) slashed.insert(name);
  }
  for (const std::string& name : slashed) RenameIn(config, name, Keras2LayerName(name));
}

void UpgradeModel(Json& model, int nesting) {
  constexpr int kMaxNesting = 16;  // The reader refuses earlier.
  if (nesting > kMaxNesting || LayersOf(model).is_null()) return;
  Json& config = model["config"];
  if (config.is_array()) config = Json{{"layers", Json(config)}};
  RenameLayers(config);
  std::set<std::string> from_one, stacks;
  for (Json& layer : config["layers"]) {
    UpgradeLayer(layer);
    const Json& inner = LayersOf(layer);
    if (inner.is_null()) continue;
    if (!inner.empty() && StringMember(inner[0], "class_name") == "InputLayer") {
      const std::string name = StringMember(layer["config"], "name");
      from_one.insert(name);
      if (StringMember(layer, "class_name") == "Sequential") stacks.insert(name);
    }
    UpgradeModel(layer, nesting + 1);
  }
  for (Json& layer : config["layers"]) {
    if (Json* const nodes = Find(layer, "inbound_nodes")) CountFromZero(*nodes, from_one);
  }
  for (const char* ends : {"input_layers", "output_layers"}) {
    // Of functional models Keras 3 counts calls from 1 there, too.
    if (Json* const values = Find(config, ends)) CountFromZero(*values, stacks);
  }
}

// The old optimizers divide the learning rate by 1 + decay * step.
void UpgradeDecay(Json& config) {
  const Json decay = Member(config, "decay");
  if (!decay.is_number()) return;
  config.erase("decay");
  if (decay == 0.0 || !Member(config, "learning_rate").is_number()) return;
  config["learning_rate"] = {
      {"class_name", "InverseTimeDecay"},
      {"config",
       {{"initial_learning_rate", Json(config["learning_rate"])}, {"decay_steps", 1}, {"decay_rate", decay}}}};
}

// What Keras before TensorFlow 2.11 computes in another way. Nadam's decay is how fast its momentum rises.
void UpgradeOldOptimizer(Json& config, const std::string& class_name) {
  if (class_name == "Nadam" && !config.contains("schedule_decay"))
    config["schedule_decay"] = config.value("decay", 0.004);
  if (class_name == "Nadam") config.erase("decay");
  const Json momentum = Member(config, "momentum");
  const bool has_momentum = momentum.is_number() && momentum != 0.0;
  if (class_name == "Adagrad" || (class_name == "RMSprop" && !has_momentum)) config["epsilon_outside_root"] = true;
}

void UpgradeOptimizer(Json& optimizer) {
  constexpr std::string_view kCustom = "Custom>";
  // fusebox trains in float32, where a loss needs no scale.
  if (StringMember(optimizer, "class_name").starts_with("LossScaleOptimizer")) {
    const Json inner = Member(Member(optimizer, "config"), "inner_optimizer");
    if (!inner.is_null()) optimizer = inner;
  }
  const std::string class_name = StringMember(optimizer, "class_name");
  if (class_name.starts_with(kCustom)) optimizer["class_name"] = class_name.substr(kCustom.size());
  Json* const config = Find(optimizer, "config");
  if (config == nullptr || !config->is_object()) return;
  const bool is_old = !config->contains("jit_compile") && !config->contains("is_legacy_optimizer");
  for (const char* own : {"jit_compile", "is_legacy_optimizer"}) config->erase(own);
  if (config->contains("lr")) {
    (*config)["learning_rate"] = Json((*config)["lr"]);
    config->erase("lr");
  }
  if (is_old) UpgradeOldOptimizer(*config, StringMember(optimizer, "class_name"));
  UpgradeDecay(*config);
  // RMSprop has a number there, which means nothing without.
  if (Member(*config, "use_ema") == false) config->erase("ema_overwrite_frequency");
}

// Calls use(item) for each object with a class, in lists and by name.
template <class Use>
void ForEachItem(Json& json, const Use& use) {
  if (json.is_object() && json.contains("class_name")) {
    use(json);
  } else if (json.is_structured()) {
    for (Json& inner : json) ForEachItem(inner, use);
  }
}

void UpgradeLoss(Json& loss) {
  Json* const config = Find(loss, "config");
  if (config == nullptr || !config->is_object()) return;
  config->erase("fn");
  if (StringMember(*config, "reduction") == "auto") config->erase("reduction");
}

void UpgradeMetric(Json& metric, const std::vector<std::string>& outputs) {
  Json* const config = Find(metric, "config");
  if (config == nullptr || !config->is_object()) return;
  if (StringMember(metric, "class_name") == "MeanMetricWrapper")
    metric["class_name"] = KerasClassName(StringMember(*config, "fn"));
  config->erase("fn");
  const std::string name = Keras2LayerName(StringMember(*config, "name"));
  if (!name.empty()) (*config)["name"] = name;
  for (const std::string& output : outputs) {
    if (outputs.size() > 1 && name.starts_with(output + "_")) (*config)["name"] = name.substr(output.size() + 1);
  }
}

// "AUC" is logged as "auc", where Keras 3 takes the text as it stands.
void UpgradeMetricTexts(Json& metrics) {
  if (metrics.is_string()) {
    const std::string text = metrics.get<std::string>();
    const bool is_class = !text.empty() && text[0] >= 'A' && text[0] <= 'Z';
    if (is_class) metrics = {{"class_name", text}, {"config", {{"name", KerasSnakeCase(text)}}}};
  } else if (metrics.is_array() || (metrics.is_object() && !metrics.contains("class_name"))) {
    for (Json& each : metrics) UpgradeMetricTexts(each);
  }
}

// Whether the layer ends with a function that makes probabilities. Keras 2 takes a crossentropy from what stands before
// it, whatever from_logits says.
bool EndsWithProbabilities(const Json& layer) {
  const std::string activation = StringMember(Member(layer, "config"), "activation");
  return StringMember(layer, "class_name") == "Softmax" || activation == "softmax" || activation == "sigmoid";
}

bool AllEndWithProbabilities(const Json& model) {
  const Json& layers = LayersOf(model);
  if (layers.empty()) return false;
  const Json& outputs = Member(Member(model, "config"), "output_layers");
  if (!outputs.is_array()) return EndsWithProbabilities(layers.back());
  return std::ranges::all_of(layers, [&](const Json& layer) {
    const std::string name = StringMember(Member(layer, "config"), "name");
    const bool is_output = std::ranges::any_of(
        outputs, [&](const Json& output) { return output.is_array() && !output.empty() && output[0] == name; });
    return !is_output || EndsWithProbabilities(layer);
  });
}

// Of a loss or a metric.
void DropFromLogits(Json& item) {
  Json* const config = Find(item, "config");
  if (config != nullptr && config->is_object() && Member(*config, "from_logits") == true) config->erase("from_logits");
}

std::vector<std::string> OutputsOf(const Json& model) {
  std::vector<std::string> names;
  for (const Json& output : Member(Member(model, "config"), "output_layers")) {
    if (output.is_array() && !output.empty() && output[0].is_string()) names.push_back(output[0].get<std::string>());
  }
  return names;
}

}  // namespace

bool IsKeras2(const Json& model, std::string_view keras_version) {
  if (keras_version.starts_with("2.") || keras_version.starts_with("1.")) return true;
  return std::ranges::any_of(LayersOf(model), [](const Json& layer) {
    return !Member(Member(layer, "config"), "batch_input_shape").is_null();
  });
}

void UpgradeKeras2(Json& model) {
  UpgradeModel(model, 0);
  Json* const compile = Find(model, "compile_config");
  if (compile == nullptr || !compile->is_object()) return;
  for (const char* key : {"loss", "loss_weights", "metrics", "weighted_metrics"}) {
    Json* const by_output = Find(*compile, key);
    if (by_output == nullptr || !by_output->is_object() || by_output->contains("class_name")) continue;
    Json renamed = Json::object();
    for (const auto& [output, value] : by_output->items()) renamed[Keras2LayerName(output)] = value;
    *by_output = std::move(renamed);
  }
  if (Json* const optimizer = Find(*compile, "optimizer"); optimizer != nullptr) UpgradeOptimizer(*optimizer);
  if (Json* const loss = Find(*compile, "loss"); loss != nullptr) ForEachItem(*loss, UpgradeLoss);
  const std::vector<std::string> outputs = OutputsOf(model);
  for (const char* key : {"metrics", "weighted_metrics"}) {
    Json* const metrics = Find(*compile, key);
    if (metrics != nullptr) UpgradeMetricTexts(*metrics);
    if (metrics != nullptr) ForEachItem(*metrics, [&](Json& metric) { UpgradeMetric(metric, outputs); });
  }
  if (!AllEndWithProbabilities(model)) return;
  for (const char* key : {"loss", "metrics", "weighted_metrics"}) {
    if (Json* const items = Find(*compile, key)) ForEachItem(*items, DropFromLogits);
  }
}

}  // namespace fusebox
