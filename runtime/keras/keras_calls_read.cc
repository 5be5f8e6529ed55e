// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_calls_read.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

constexpr char kTensor[] = "__keras_tensor__";

bool IsHistory(const Json& json) {
  return json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number_unsigned() &&
         json[2].is_number_unsigned();
}

// Calls use(leaf, key) for the leaves of lists, tuples and dicts, in Keras's order. Null says nothing. `is_leaf` tells
// lists and objects that are leaves.
template <class IsLeaf, class Use>
absl::Status ForEachLeaf(const Json& json, const IsLeaf& is_leaf, const std::string& key, const Use& use) {
  if (json.is_null()) return absl::OkStatus();
  if (is_leaf(json) || !json.is_structured()) return use(json, key);
  if (json.is_array()) {
    for (const Json& each : json) FUSEBOX_RETURN_IF_ERROR(ForEachLeaf(each, is_leaf, "", use));
    return absl::OkStatus();
  }
  if (StringMember(json, "class_name") == "__tuple__") return ForEachLeaf(Member(json, "items"), is_leaf, "", use);
  if (json.contains("class_name")) return use(json, key);
  std::vector<std::string> keys;
  for (const auto& [name, value] : json.items()) keys.push_back(name);
  std::ranges::sort(keys);
  for (const std::string& name : keys) FUSEBOX_RETURN_IF_ERROR(ForEachLeaf(json[name], is_leaf, name, use));
  return absl::OkStatus();
}

absl::Status NoValue(const Json& argument, const std::string& who) {
  return Refuse("{}: called with {}, which is no value of the model", who, Excerpt(argument));
}

// A value in a call of Keras 3.
absl::StatusOr<KerasHistory> TensorFromJson(const Json& json, const std::string& who) {
  if (StringMember(json, "class_name") != kTensor) return NoValue(json, who);
  return HistoryFromJson(Member(Member(json, "config"), "keras_history"), who);
}

absl::Status AddTensors(const Json& json, const std::string& who, KerasValues& to) {
  const auto is_tensor = [](const Json& value) { return StringMember(value, "class_name") == kTensor; };
  return ForEachLeaf(json, is_tensor, "", [&](const Json& leaf, const std::string& key) -> absl::Status {
    FUSEBOX_ASSIGN_OR_RETURN(to.values.emplace_back(), TensorFromJson(leaf, who));
    to.keys.push_back(key);
    return absl::OkStatus();
  });
}

absl::Status Keyword(const std::string& name, const Json& value, const std::string& who, KerasNode& read) {
  if (name == "training" && value.is_boolean()) {
    read.training = value.get<bool>();
    return absl::OkStatus();
  }
  if (name == "mask") {
    KerasValues masks;
    FUSEBOX_RETURN_IF_ERROR(AddTensors(value, who, masks));
    std::ranges::move(masks.values, std::back_inserter(read.masks));
    return absl::OkStatus();
  }
  // The name of a layer's first argument, and that of CategoryEncoding's second.
  if (name == "inputs" || name == "x" || name == "count_weights") return AddTensors(value, who, read.inputs);
  return Refuse("{}: called with {} = {}, which is not supported", who, name, Excerpt(value));
}

absl::StatusOr<KerasNode> Keras3Node(const Json& node, const std::string& who) {
  KerasNode read;
  for (const Json& argument : Member(node, "args")) FUSEBOX_RETURN_IF_ERROR(AddTensors(argument, who, read.inputs));
  for (const auto& [name, value] : Member(node, "kwargs").items()) {
    if (!value.is_null()) FUSEBOX_RETURN_IF_ERROR(Keyword(name, value, who, read));
  }
  read.training.reset();
  // Of a model that came from a file of Keras 2.
  if (const Json& own = Member(node, "fusebox_training"); own.is_boolean()) read.training = own.get<bool>();
  return read;
}

// Each value has the call's keyword arguments behind it.
absl::StatusOr<KerasNode> Keras2Node(const Json& node, const std::string& who) {
  KerasNode read;
  const auto use = [&](const Json& leaf, const std::string& key) -> absl::Status {
    if (!IsHistory(leaf)) return NoValue(leaf, who);
    FUSEBOX_ASSIGN_OR_RETURN(read.inputs.values.emplace_back(), HistoryFromJson(leaf, who));
    read.inputs.keys.push_back(key);
    if (leaf.size() < 4) return absl::OkStatus();
    for (const auto& [name, value] : leaf[3].items()) {
      if (value.is_null() || name == "name") continue;  // A name of the operation in TensorFlow's graph.
      if (name != "mask") {
        FUSEBOX_RETURN_IF_ERROR(Keyword(name, value, who, read));
        continue;
      }
      const auto add_mask = [&](const Json& mask, const std::string&) -> absl::Status {
        FUSEBOX_ASSIGN_OR_RETURN(read.masks.emplace_back(), HistoryFromJson(mask, who));
        return absl::OkStatus();
      };
      FUSEBOX_RETURN_IF_ERROR(ForEachLeaf(value, IsHistory, "", add_mask));
    }
    return absl::OkStatus();
  };
  const auto is_value = [](const Json& json) {
    return json.is_array() && !json.empty() && json[0].is_string();  // Also what is malformed, for the message.
  };
  FUSEBOX_RETURN_IF_ERROR(ForEachLeaf(node, is_value, "", use));
  return read;
}

}  // namespace

bool KerasValues::IsDict() const {
  const std::set<std::string> distinct(keys.begin(), keys.end());
  return !keys.empty() && distinct.size() == keys.size() && !distinct.contains("");
}

absl::StatusOr<KerasHistory> HistoryFromJson(const Json& json, const std::string& who) {
  if (!IsHistory(json)) return Refuse("{}: a value as in [\"dense\", 0, 0] expected, got {}", who, Excerpt(json));
  return KerasHistory{json[0].get<std::string>(), json[1].get<uint64_t>(), json[2].get<uint64_t>()};
}

absl::StatusOr<KerasValues> HistoriesFromJson(const Json& json, const std::string& who) {
  if (!json.is_structured()) return Refuse("{}: a list of values expected, got {}", who, Excerpt(json));
  KerasValues all;
  const auto is_value = [](const Json& each) { return each.is_array() && !each.empty() && each[0].is_string(); };
  const auto use = [&](const Json& leaf, const std::string& key) -> absl::Status {
    FUSEBOX_ASSIGN_OR_RETURN(all.values.emplace_back(), HistoryFromJson(leaf, who));
    all.keys.push_back(key);
    return absl::OkStatus();
  };
  FUSEBOX_RETURN_IF_ERROR(ForEachLeaf(json, is_value, "", use));
  return all;
}

absl::StatusOr<KerasNode> NodeFromJson(const Json& node, const std::string& who) {
  const bool keras3 = node.is_object() && (node.contains("args") || node.contains("kwargs"));
  FUSEBOX_ASSIGN_OR_RETURN(KerasNode read, keras3 ? Keras3Node(node, who) : Keras2Node(node, who));
  if (read.inputs.values.empty()) return Refuse("{}: called without a value", who);
  return read;
}

}  // namespace fusebox
