// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_operations.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/keras/keras2_operations.h"
#include "fusebox/runtime/keras/keras_item_read.h"

namespace fusebox {
namespace {

constexpr char kTensor[] = "__keras_tensor__";
constexpr char kModule[] = "keras.src.ops.";

// Replaces the values in a call's arguments by {"value": i}, and lists them.
absl::Status TakeValues(Json& arguments, const std::string& who, KerasValues& values) {
  if (StringMember(arguments, "class_name") == kTensor) {
    FUSEBOX_ASSIGN_OR_RETURN(const KerasHistory value,
                             HistoryFromJson(Member(Member(arguments, "config"), "keras_history"), who));
    arguments = {{"value", values.values.size()}};
    values.values.push_back(value);
    values.keys.emplace_back();
    return absl::OkStatus();
  }
  if (!arguments.is_structured()) return absl::OkStatus();
  for (Json& each : arguments) FUSEBOX_RETURN_IF_ERROR(TakeValues(each, who, values));
  return absl::OkStatus();
}

void PutValues(Json& arguments, const std::vector<Json>& values) {
  const Json& index = Member(arguments, "value");
  if (arguments.is_object() && arguments.size() == 1 && index.is_number_unsigned()) {
    const auto i = index.get<uint64_t>();
    if (i < values.size()) arguments = Json(values[i]);
    return;
  }
  if (!arguments.is_structured()) return;
  for (Json& each : arguments) PutValues(each, values);
}

// Whether the operation is one of Keras's activation functions, which fusebox has as items of their own.
bool IsActivation(const std::string& name) {
  static const std::set<std::string, std::less<>> kActivations = {
      "celu",        "elu",        "gelu",        "glu",        "hard_shrink", "hard_sigmoid",
      "hard_silu",   "hard_tanh",  "relu",        "leaky_relu", "relu6",       "log_sigmoid",
      "selu",        "sigmoid",    "silu",        "softplus",   "soft_shrink", "softsign",
      "sparse_plus", "squareplus", "tanh_shrink", "threshold",  "sparsemax"};
  return kActivations.contains(name);
}

// The call without its values, as an attribute's text. `node` is one call.
Json CallJson(const Json& layer, const Json& node) {
  Json config = Member(layer, "config");
  if (config.is_object()) config.erase("name");
  const std::string class_name = StringMember(layer, "class_name"), module = StringMember(layer, "module");
  const bool activates = IsActivation(KerasSnakeCase(class_name));
  return {{"module", !module.empty() ? module
                     : activates     ? "keras.src.ops.nn"
                                     : KerasModuleOf(class_name)},
          {"class_name", class_name},
          {"config", std::move(config)},
          {"args", Member(node, "args")},
          {"kwargs", Member(node, "kwargs")}};
}

void AddNames(const Json& arguments, std::vector<std::string>& names) {
  if (arguments.is_array() && arguments.size() >= 3 && arguments[0].is_string() && arguments[1].is_number()) {
    names.push_back(arguments[0].get<std::string>());
  }
  if (!arguments.is_structured()) return;
  for (const Json& each : arguments) AddNames(each, names);
}

}  // namespace

bool IsKerasOperation(const Json& layer) {
  if (IsKeras2Operation(layer)) return true;
  if (layer.contains("module")) return StringMember(layer, "module").starts_with(kModule);
  // In .h5 files of Keras 3 no module tells an operation. Its config lacks what those of all layers have.
  const Json& config = Member(layer, "config");
  const Json& nodes = Member(layer, "inbound_nodes");
  const bool keras3 = nodes.is_array() && !nodes.empty() && nodes[0].is_object() && nodes[0].contains("args");
  const bool custom = StringMember(layer, "class_name").find('>') != std::string::npos;
  return keras3 && !custom && config.is_object() && !config.contains("trainable") && !config.contains("dtype") &&
         !config.contains("layers");
}

std::vector<std::string> ValuesOfOperation(const Json& layer) {
  std::vector<std::string> names;
  AddNames(Member(layer, "inbound_nodes"), names);
  return names;
}

absl::StatusOr<KerasOperation> OperationFromJson(const Json& json, const std::string& who) {
  Json layer = json;
  if (IsKeras2Operation(json)) {
    FUSEBOX_ASSIGN_OR_RETURN(layer, UpgradeKeras2Operation(json, who));
  }
  KerasOperation operation;
  std::optional<Json> call;
  for (const Json& each : Member(layer, "inbound_nodes")) {
    Json node = each;
    KerasNode& read = operation.calls.emplace_back();
    FUSEBOX_RETURN_IF_ERROR(TakeValues(node, who, read.inputs));
    if (read.inputs.values.empty()) return Refuse("{}: called without a value", who);
    Json now = CallJson(layer, node);
    if (call && *call != now) return Refuse("{}: its calls differ in more than their values", who);
    call = std::move(now);
  }
  if (!call) return Refuse("{}: is never called", who);
  operation.item = {kOperation, {{"call", JsonText(*call)}}};
  const std::string name = KerasSnakeCase(StringMember(layer, "class_name"));
  if (IsActivation(name)) {
    Json activation = {{"class_name", StringMember(layer, "class_name")}, {"config", Member(*call, "config")}};
    FUSEBOX_ASSIGN_OR_RETURN(ItemSpec item, ItemFromJson(activation, who, 0));
    operation.item.attributes.emplace("activation", Print({name, std::move(item.attributes)}));
  }
  return operation;
}

Json OperationJson(const ItemSpec& item, const std::string& name) {
  const std::string* const text = TextAttribute(item, "call");
  absl::StatusOr<Json> call = ParseJson(text != nullptr ? *text : "", "call");
  if (!call.ok()) call = Json::object();
  Json config = {{"name", name}};
  if (const Json& own = Member(*call, "config"); own.is_object()) config.update(own);
  return {{"module", StringMember(*call, "module")},
          {"class_name", StringMember(*call, "class_name")},
          {"config", std::move(config)},
          {"registered_name", StringMember(*call, "class_name")}};
}

Json OperationNodeJson(const ItemSpec& item, const std::vector<Json>& arguments) {
  const std::string* const text = TextAttribute(item, "call");
  absl::StatusOr<Json> call = ParseJson(text != nullptr ? *text : "", "call");
  Json node = {{"args", Json::array()}, {"kwargs", Json::object()}};
  if (!call.ok()) return node;
  for (const char* part : {"args", "kwargs"}) {
    if (const Json& given = Member(*call, part); given.is_structured()) node[part] = given;
    PutValues(node[part], arguments);
  }
  return node;
}

}  // namespace fusebox
