// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/load/table_encoding.h"

#include <algorithm>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {
namespace {

bool IsTexts(const Json& json) {
  return json.is_array() && std::ranges::all_of(json, [](const Json& text) { return text.is_string(); });
}

absl::StatusOr<TableClasses> ClassesFrom(const Json& json, const std::string& who) {
  const Json& values = Member(json, "values");
  const Json& one_hot = Member(json, "one_hot");
  TableClasses classes{.column = StringMember(json, "column"), .values = {}};
  if (classes.column.empty() || !IsTexts(values) || !one_hot.is_boolean()) {
    return Refuse("{}: classes: column, values (texts) and one_hot expected, got {}", who, Excerpt(json));
  }
  classes.values = values.get<std::vector<std::string>>();
  classes.one_hot = one_hot.get<bool>();
  return classes;
}

}  // namespace

const TableClasses* TableEncoding::ClassesOf(const std::string& column) const {
  const auto found = std::ranges::find(classes, column, &TableClasses::column);
  return found != classes.end() ? &*found : nullptr;
}

std::optional<double> TableEncoding::MeanOf(const std::string& column) const {
  const auto found = std::ranges::find(means, column, &TableMean::column);
  return found != means.end() ? std::optional(found->value) : std::nullopt;
}

absl::Status WriteTableEncoding(const std::string& path, const TableEncoding& encoding) {
  Json json = {{"inputs", encoding.inputs}, {"targets", encoding.targets}};
  json["classes"] = Json::array();
  for (const TableClasses& of : encoding.classes) {
    json["classes"].push_back({{"column", of.column}, {"values", of.values}, {"one_hot", of.one_hot}});
  }
  json["means"] = Json::array();
  for (const TableMean& mean : encoding.means) {
    json["means"].push_back({{"column", mean.column}, {"value", mean.value}});
  }
  return WriteFileAtomically(path, JsonText(json, 1) + "\n");
}

absl::StatusOr<TableEncoding> ReadTableEncoding(const std::string& path) {
  const std::string who = fmt::format("'{}'", path);
  FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  FUSEBOX_ASSIGN_OR_RETURN(const Json json, ParseJson(text, who));
  TableEncoding encoding;
  if (!IsTexts(Member(json, "inputs")) || Member(json, "inputs").empty() || !IsTexts(Member(json, "targets"))) {
    return Refuse("{}: inputs and targets, which are names of columns, expected, got {}", who, Excerpt(json));
  }
  encoding.inputs = json["inputs"].get<std::vector<std::string>>();
  encoding.targets = json["targets"].get<std::vector<std::string>>();
  for (const Json& item : Member(json, "classes")) {
    FUSEBOX_ASSIGN_OR_RETURN(TableClasses classes, ClassesFrom(item, who));
    encoding.classes.push_back(std::move(classes));
  }
  for (const Json& item : Member(json, "means")) {
    if (!Member(item, "value").is_number())
      return Refuse("{}: means: column and value expected, got {}", who, Excerpt(item));
    encoding.means.push_back({StringMember(item, "column"), item["value"].get<double>()});
  }
  return encoding;
}

}  // namespace fusebox
