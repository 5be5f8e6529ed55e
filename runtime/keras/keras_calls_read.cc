// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_calls_read.h"

#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {

absl::StatusOr<KerasHistory> HistoryFromJson(const Json& json, const std::string& who) {
  const bool fits = json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number_unsigned() &&
                    json[2].is_number_unsigned();
  if (!fits) return Refuse("{}: a value as in [\"dense\", 0, 0] expected, got {}", who, Excerpt(json));
  return KerasHistory{json[0].get<std::string>(), json[1].get<uint64_t>(), json[2].get<uint64_t>()};
}

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

}  // namespace fusebox
