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

// One of Keras's metrics. Its name in logs is kept where it is not the class's own.
absl::StatusOr<ItemSpec> MetricFromJson(const Json& json, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(ItemSpec item, ItemFromJson(json, who, 0));
  const std::string name = StringMember(Member(json, "config"), "name");
  if (!name.empty() && name != SplitItemId(item.id).name) item.attributes["name"] = name;
  return item;
}

// Those of one output, which may lie in a list of their own.
absl::StatusOr<std::vector<ItemSpec>> MetricsFromJson(const Json& json, const std::string& who) {
  std::vector<ItemSpec> metrics;
  const bool wrapped = json.is_array() && json.size() == 1 && json.front().is_array();
  const bool by_output = json.is_object() && !json.contains("class_name");
  const Json& inner = wrapped || by_output ? Single(json) : json;
  if (inner.is_null() || (inner.is_structured() && inner.empty())) return metrics;
  for (const Json& metric : inner.is_array() ? inner : Json::array({inner})) {
    if (metric.is_null()) continue;
    FUSEBOX_ASSIGN_OR_RETURN(metrics.emplace_back(), MetricFromJson(metric, who));
  }
  return metrics;
}

absl::Status OneOutputFromJson(const Json& json, const std::string& output, const std::string& who,
                               CompileConfig& compile) {
  if (const Json& loss = Single(Member(json, "loss")); !loss.is_null()) {
    if (loss.is_array()) return Refuse("{}: one loss expected, got {}", who, Excerpt(loss));
    FUSEBOX_ASSIGN_OR_RETURN(compile.loss, ItemFromJson(loss, who + ": loss", 0));
  }
  FUSEBOX_ASSIGN_OR_RETURN(compile.metrics, MetricsFromJson(Member(json, "metrics"), who + ": metrics"));
  FUSEBOX_ASSIGN_OR_RETURN(compile.weighted_metrics,
                           MetricsFromJson(Member(json, "weighted_metrics"), who + ": weighted_metrics"));
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
    if (!losses[i].is_null()) {
      FUSEBOX_ASSIGN_OR_RETURN(output.loss, ItemFromJson(losses[i], who + ": loss", 0));
    }
    if (weights[i].is_number()) output.weight = weights[i].get<double>();
    FUSEBOX_ASSIGN_OR_RETURN(output.metrics, MetricsFromJson(metrics[i], who + ": metrics"));
    FUSEBOX_ASSIGN_OR_RETURN(output.weighted_metrics, MetricsFromJson(weighted[i], who + ": weighted_metrics"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CompileFromJson(const Json& json, const std::string& who, ModelConfig& model) {
  if (!json.is_object()) return Refuse("{}: compile_config: an object expected, got {}", who, Excerpt(json));
  const std::vector<std::string> outputs = OutputNames(model);
  CompileConfig compile;
  // Each part by itself: what cannot be read of one does not take away the others.
  std::vector<std::string> wrong, unread;
  const auto note = [&](const absl::Status& status, const char* key) {
    if (status.ok()) return;
    wrong.push_back(Message(status));
    unread.emplace_back(key);
  };
  if (const Json& optimizer = Member(json, "optimizer"); !optimizer.is_null()) {
    absl::StatusOr<ItemSpec> item = ItemFromJson(optimizer, who + ": optimizer", 0);
    note(item.status(), "optimizer");
    if (item.ok()) compile.optimizer = *std::move(item);
  }
  const auto read = [&](const Json& part) {
    CompileConfig with = compile;
    const absl::Status status = outputs.size() == 1 ? OneOutputFromJson(part, outputs[0], who, with)
                                                    : OutputsFromJson(part, outputs, who, with);
    if (status.ok()) compile = std::move(with);
    return status;
  };
  if (!read(json).ok()) {
    Json part = json;
    for (const char* key : {"metrics", "weighted_metrics", "loss"}) {
      Json only = {{key, Member(json, key)}};
      CompileConfig nothing;
      const absl::Status status = outputs.size() == 1 ? OneOutputFromJson(only, outputs[0], who, nothing)
                                                      : OutputsFromJson(only, outputs, who, nothing);
      note(status, key);
      if (!status.ok()) part.erase(key);
    }
    if (const absl::Status status = read(part); !status.ok()) note(status, "loss");
  }
  if (wrong.empty()) {
    model.compile = std::move(compile);
  } else {
    model.unused_compile = UnusedCompile{.why = fmt::format("{}", fmt::join(wrong, "; ")),
                                         .parts = std::move(compile),
                                         .json = JsonText(json),
                                         .unread = std::move(unread)};
  }
  return absl::OkStatus();
}

}  // namespace fusebox
