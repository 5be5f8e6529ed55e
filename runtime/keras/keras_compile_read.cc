// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_compile_read.h"

#include <algorithm>
#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/keras/keras_item_read.h"

namespace fusebox {
namespace {

// The one value of [x], {"name": x} or x.
const Json& Single(const Json& json) {
  const bool wrapped = (json.is_array() || (json.is_object() && !json.contains("class_name"))) && json.size() == 1;
  return wrapped ? *json.begin() : json;
}

// What each output is given, as a list in their order or an object by their names; null for those that have nothing.
absl::StatusOr<std::vector<Json>> ForEachOutput(const Json& json, const std::vector<std::string>& outputs,
                                                const std::string& who) {
  std::vector<Json> each(outputs.size());
  if (json.is_structured() && json.empty()) return each;
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

std::string OriginOf(const Json& json) {
  if (json.is_string()) return fmt::format("'{}'", json.get<std::string>());
  const std::string module = StringMember(json, "module"), registered = StringMember(json, "registered_name");
  const bool is_function = StringMember(json, "class_name") == "function";
  const std::string name = is_function ? StringMember(json, "config") : StringMember(json, "class_name");
  if (name.empty()) return Excerpt(json);
  std::string text = fmt::format("{} {}", is_function ? "function" : "class", name);
  if (!module.empty() && module != "builtins") text += " of module " + module;
  if (registered.find('>') != std::string::npos) text += fmt::format(", registered as {},", registered);
  return text;
}

// An item of the settings. What cannot be read is an item, too: nothing but evaluation or training needs it.
ItemSpec ItemAsFound(const Json& json, const std::string& who) {
  ItemSpec item;
  if (json.is_null()) {
    item.problem = "there is none";
  } else if (absl::StatusOr<ItemSpec> read = ItemFromJson(json, who, 0); read.ok()) {
    item = *std::move(read);
  } else {
    item.id = "unknown/" + ItemNameOfClass(StringMember(json, "class_name"));
    item.problem = fmt::format("{}: {}", OriginOf(json), Message(read.status()));
  }
  item.keras_json = std::make_shared<const std::string>(JsonText(json));
  return item;
}

// One of Keras's metrics. Its name in logs is kept where it is not the class's own.
ItemSpec MetricFromJson(const Json& json, const std::string& who) {
  ItemSpec item = ItemAsFound(json, who);
  const std::string name = StringMember(Member(json, "config"), "name");
  if (!name.empty() && name != SplitItemId(item.id).name) item.attributes["name"] = name;
  return item;
}

// Those of one output, which may lie in a list of their own.
std::vector<ItemSpec> MetricsFromJson(const Json& json, const std::string& who) {
  std::vector<ItemSpec> metrics;
  const bool wrapped = json.is_array() && json.size() == 1 && json.front().is_array();
  const bool by_output = json.is_object() && !json.contains("class_name");
  const Json& inner = wrapped || by_output ? Single(json) : json;
  if (inner.is_null() || (inner.is_structured() && inner.empty())) return metrics;
  for (const Json& metric : inner.is_array() ? inner : Json::array({inner})) {
    if (!metric.is_null()) metrics.push_back(MetricFromJson(metric, who));
  }
  return metrics;
}

absl::Status OneOutputFromJson(const Json& json, const std::string& output, const std::string& who,
                               CompileConfig& compile) {
  if (const Json& loss = Single(Member(json, "loss")); !loss.is_null()) {
    compile.loss = ItemAsFound(loss, who + ": loss");
    if (loss.is_array()) compile.loss.problem = fmt::format("{}: one loss expected, got {}", who, Excerpt(loss));
  }
  compile.metrics = MetricsFromJson(Member(json, "metrics"), who + ": metrics");
  compile.weighted_metrics = MetricsFromJson(Member(json, "weighted_metrics"), who + ": weighted_metrics");
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
    if (!losses[i].is_null()) output.loss = ItemAsFound(losses[i], who + ": loss");
    if (weights[i].is_number()) output.weight = weights[i].get<double>();
    output.metrics = MetricsFromJson(metrics[i], who + ": metrics");
    output.weighted_metrics = MetricsFromJson(weighted[i], who + ": weighted_metrics");
  }
  return absl::OkStatus();
}

absl::StatusOr<CompileConfig> SettingsFromJson(const Json& json, const std::vector<std::string>& outputs,
                                               const std::string& who) {
  if (!json.is_object()) return Refuse("{}: compile_config: an object expected, got {}", who, Excerpt(json));
  CompileConfig compile;
  compile.optimizer = ItemAsFound(Member(json, "optimizer"), who + ": optimizer");
  FUSEBOX_RETURN_IF_ERROR(outputs.size() == 1 ? OneOutputFromJson(json, outputs[0], who, compile)
                                              : OutputsFromJson(json, outputs, who, compile));
  return compile;
}

}  // namespace

std::string KerasOrigin(const std::string& json) {
  const absl::StatusOr<Json> parsed = ParseJson(json, "item");
  return parsed.ok() ? OriginOf(*parsed) : json;
}

CompileConfig CompileFromJson(const Json& json, const std::vector<std::string>& outputs, const std::string& who) {
  absl::StatusOr<CompileConfig> compile = SettingsFromJson(json, outputs, who);
  if (compile.ok()) return *std::move(compile);
  CompileConfig unread;
  unread.problem = Message(compile.status());
  unread.keras_json = JsonText(json);
  return unread;
}

}  // namespace fusebox
