// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_graph_read.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/keras/keras_calls_read.h"
#include "fusebox/runtime/keras/keras_operations.h"

namespace fusebox {
namespace {

// Whether Keras computes masks by this operation.
bool MakesMasks(std::string_view class_name) {
  for (const char* op : {"NotEqual", "Any", "LogicalOr", "ExpandDims", "ZerosLike", "OnesLike", "Concatenate"}) {
    if (class_name == op) return true;
  }
  return false;
}

// Whether the file is fusebox's, of a version that counted all calls from 0 in output_layers.
bool CountsOutputsFromZero(const Json& model) {
  const auto is_ours = [](const Json& layer) { return layer.is_object() && layer.contains("fusebox_item"); };
  return !model.contains("fusebox_outputs_from_one") &&
         std::ranges::any_of(Member(Member(model, "config"), "layers"), is_ours);
}

class GraphReader {
 public:
  GraphReader(const Json& json, const std::string& who, const KerasLayerReaders& readers, ModelConfig& model)
      : config_(Member(json, "config")),
        added_(Member(json, "fusebox_added")),
        outputs_count_from_zero_(CountsOutputsFromZero(json)),
        who_(who),
        readers_(readers),
        model_(model) {}

  absl::Status Read() {
    FUSEBOX_ASSIGN_OR_RETURN(const KerasValues inputs,
                             HistoriesFromJson(Member(config_, "input_layers"), who_ + ": input_layers"));
    FUSEBOX_ASSIGN_OR_RETURN(KerasValues outputs,
                             HistoriesFromJson(Member(config_, "output_layers"), who_ + ": output_layers"));
    if (outputs.values.empty()) return Refuse("{}: it has no outputs", who_);
    FUSEBOX_RETURN_IF_ERROR(ReadNodes());
    FindValues(outputs);
    FUSEBOX_RETURN_IF_ERROR(ReadLayers());
    FUSEBOX_RETURN_IF_ERROR(ReadInputs(inputs));
    for (const auto& [layer_who, mask] : masks_) {
      // Masks that Keras computes by itself fusebox computes too; masks of the user's own cannot be read.
      if (!of_masks_.contains(mask.layer))
        return Refuse("{}: called with a mask of one's own, '{}', which is not supported", layer_who, mask.layer);
    }
    FUSEBOX_RETURN_IF_ERROR(ReadCalls());
    FUSEBOX_RETURN_IF_ERROR(ReadOutputs(outputs));
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
  // One object in the file's list of layers.
  struct Listed {
    const Json& json;
    std::string name;
    std::vector<KerasNode> nodes;
    bool is_value = false;  // Whether an output depends on it other than by a mask.
  };
  struct Call {
    size_t layer;
    KerasNode node;
  };

  absl::Status ReadNodes() {
    for (const Json& json : Member(config_, "layers")) {
      const Json& layer_config = Member(json, "config");
      if (!layer_config.is_object()) return Refuse("{}: a layer with a config expected, got {}", who_, Excerpt(json));
      std::string name = StringMember(json, "name");
      if (name.empty()) name = StringMember(layer_config, "name");
      Listed& listed = listed_.emplace_back(Listed{json, name, {}});
      if (IsKerasOperation(json)) continue;  // Read when it is known whether it makes masks alone.
      for (const Json& node : Member(json, "inbound_nodes")) {
        FUSEBOX_ASSIGN_OR_RETURN(listed.nodes.emplace_back(), NodeFromJson(node, LayerWho(name)));
      }
    }
    return absl::OkStatus();
  }

  // Follows the values back from the outputs.
  void FindValues(const KerasValues& outputs) {
    std::map<std::string, Listed*> by_name;
    for (Listed& listed : listed_) by_name.emplace(listed.name, &listed);
    std::vector<std::string> open;
    for (const KerasHistory& output : outputs.values) open.push_back(output.layer);
    for (const Json& loss : Member(added_, "losses")) open.push_back(NameOf(loss));
    for (const Json& metric : Member(added_, "metrics")) open.push_back(NameOf(Member(metric, "value")));
    while (!open.empty()) {
      const auto found = by_name.find(open.back());
      open.pop_back();
      if (found == by_name.end() || std::exchange(found->second->is_value, true)) continue;
      const Listed& listed = *found->second;
      if (IsKerasOperation(listed.json)) std::ranges::move(ValuesOfOperation(listed.json), std::back_inserter(open));
      for (const KerasNode& node : listed.nodes) {
        for (const KerasHistory& input : node.inputs.values) open.push_back(input.layer);
      }
    }
  }

  static std::string NameOf(const Json& value) {
    return value.is_array() && !value.empty() && value[0].is_string() ? value[0].get<std::string>() : "";
  }

  absl::Status ReadLayers() {
    for (Listed& listed : listed_) {
      if (StringMember(listed.json, "class_name") == "InputLayer") {
        FUSEBOX_ASSIGN_OR_RETURN(InputConfig input,
                                 readers_.input(Member(listed.json, "config"), who_ + ": InputLayer"));
        const std::string name = input.name;
        if (!inputs_.emplace(name, std::move(input)).second) return Refuse("{}: two layers are named '{}'", who_, name);
        continue;
      }
      const bool is_operation = IsKerasOperation(listed.json);
      if (is_operation && !listed.is_value) {
        if (MakesMasks(StringMember(listed.json, "class_name"))) of_masks_.insert(listed.name);
        continue;
      }
      LayerConfig layer;
      if (is_operation) {
        FUSEBOX_ASSIGN_OR_RETURN(KerasOperation operation, OperationFromJson(listed.json, LayerWho(listed.name)));
        layer = {.item = std::move(operation.item), .name = listed.name};
        listed.nodes = std::move(operation.calls);
      } else {
        FUSEBOX_ASSIGN_OR_RETURN(layer, readers_.layer(listed.json, who_));
      }
      if (Member(config_, "trainable") == false) layer.trainable = false;
      if (inputs_.contains(layer.name) || !layer_of_.emplace(layer.name, model_.layers.size()).second)
        return Refuse("{}: two layers are named '{}'", who_, layer.name);
      if (listed.nodes.empty()) return Refuse("{}: is never called", LayerWho(layer.name));
      std::vector<size_t>& nodes = nodes_.emplace_back();
      for (KerasNode& node : listed.nodes) {
        nodes.push_back(calls_.size());
        for (KerasHistory& mask : node.masks) masks_.emplace_back(LayerWho(layer.name), std::move(mask));
        calls_.push_back({model_.layers.size(), std::move(node)});
      }
      model_.layers.push_back(std::move(layer));
    }
    return absl::OkStatus();
  }

  absl::Status ReadInputs(const KerasValues& inputs) {
    for (size_t i = 0; i < inputs.values.size(); ++i) {
      const std::string& name = inputs.values[i].layer;
      const auto known = inputs_.find(name);
      if (known == inputs_.end()) return Refuse("{}: there is no InputLayer '{}'", who_, name);
      input_of_[name] = model_.inputs.size();
      InputConfig& input = model_.inputs.emplace_back(known->second);
      if (inputs.IsDict()) input.key = inputs.keys[i];
    }
    if (model_.inputs.empty() || input_of_.size() != inputs.values.size() || inputs.values.size() != inputs_.size())
      return Refuse("{}: input_layers are not its InputLayers", who_);
    return absl::OkStatus();
  }

  absl::Status ReadCalls() {
    for (Call& call : calls_) {
      const LayerConfig& layer = model_.layers[call.layer];
      if (layer.model) FUSEBOX_RETURN_IF_ERROR(OrderByName(layer, call.node.inputs));
      CallConfig& made = model_.calls.emplace_back(CallConfig{call.layer, {}, call.node.training});
      for (const KerasHistory& input : call.node.inputs.values) {
        FUSEBOX_ASSIGN_OR_RETURN(made.inputs.emplace_back(), Find(input));
      }
    }
    return absl::OkStatus();
  }

  // A model whose inputs are a list may be called with a dict by their names. It takes what it knows.
  absl::Status OrderByName(const LayerConfig& layer, KerasValues& values) const {
    const std::vector<InputConfig>& inputs = layer.model->inputs;
    if (!values.IsDict() || inputs.empty() || !inputs[0].key.empty()) return absl::OkStatus();
    KerasValues ordered;
    for (const InputConfig& input : inputs) {
      const auto key = std::ranges::find(values.keys, input.name);
      if (key == values.keys.end()) {
        return Refuse("{}: its inputs are {}, it is called with {}", LayerWho(layer.name),
                      QuotedNames(InputNames(*layer.model)), QuotedNames(values.keys));
      }
      ordered.values.push_back(values.values[size_t(key - values.keys.begin())]);
      ordered.keys.push_back(input.name);
    }
    values = std::move(ordered);
    return absl::OkStatus();
  }

  absl::Status ReadOutputs(const KerasValues& outputs) {
    for (KerasHistory output : outputs.values) {
      // Keras counts the calls of functional models from 1 here, and only here.
      const auto layer = layer_of_.find(output.layer);
      const bool from_one = layer != layer_of_.end() && KerasClassOf(model_.layers[layer->second]) == "Functional";
      if (from_one && !outputs_count_from_zero_ && output.node > 0) --output.node;
      FUSEBOX_ASSIGN_OR_RETURN(model_.outputs.emplace_back(), Find(output));
    }
    if (outputs.IsDict()) model_.output_names = outputs.keys;
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
    return Refuse("{}: there is no value [\"{}\", {}, {}]", who_, value.layer, value.node, value.output);
  }

  std::string LayerWho(const std::string& name) const { return fmt::format("{}: layer '{}'", who_, name); }

  const Json& config_;
  const Json& added_;
  const bool outputs_count_from_zero_;
  const std::string& who_;
  const KerasLayerReaders& readers_;
  ModelConfig& model_;
  std::vector<Listed> listed_;
  std::map<std::string, InputConfig> inputs_;
  std::map<std::string, size_t> input_of_, layer_of_;
  std::vector<std::vector<size_t>> nodes_;  // Of each layer: its calls.
  std::vector<Call> calls_;
  std::set<std::string> of_masks_;                           // Operations that make masks.
  std::vector<std::pair<std::string, KerasHistory>> masks_;  // With the layers that are called with them.
};

}  // namespace

absl::Status GraphFromJson(const Json& json, const std::string& who, const KerasLayerReaders& readers,
                           ModelConfig& model) {
  return GraphReader(json, who, readers, model).Read();
}

}  // namespace fusebox
